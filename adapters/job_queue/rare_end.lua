return sweep, insert, bury, note_due
end
