/* temp.h: folders for a test to write in. */
#ifndef TEMP_H
#define TEMP_H

/* A new, empty folder under TMPDIR; its absolute path lives as long as the process. It is removed
 * with all that is in it when the process that asked for it exits. */
const char *temp_folder(void);

#endif
