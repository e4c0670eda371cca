/* terminal.h: the terminal that standard output is, if it is one. */
#ifndef TERMINAL_H
#define TERMINAL_H

#include "fn/bytes.h"

/* Whether a person looks at it, and it can move its cursor. */
bool terminal_is_there(void);

/* In characters; 80 x 24 where it does not tell. */
void terminal_size(size_t *width, size_t *height);

/* From here to the end a second screen is shown, without cursor and echo. Whatever signal ends or
 * stops the process gives the first one back before. */
void terminal_begin(void);
void terminal_end(void);

/* Puts the text in the place of what is shown. */
void terminal_show(struct fn_arena *, struct fn_bytes text);

/* Waits so long, or until the terminal has changed its size. False: q was pressed. */
bool terminal_wait(int ms);

#endif
