/* body_memory.h: memory for bodies, of which that for large ones is kept for the next one.
 *
 * malloc gives megabytes back to the kernel, and then every page of them has to be asked for and
 * cleared again, or keeps them with holes between; either costs as much as all else about a
 * picture. The kept memory is one for the whole process: a body may outlive whoever received it. */
#ifndef BODY_MEMORY_H
#define BODY_MEMORY_H

#include <stddef.h>

/* Makes room for `room` bytes, of which the first `used` are those of `body`, which is gone
 * afterwards; NULL is an empty one. NULL when there is no memory: then `body` stays. */
char *body_resize(char *body, size_t used, size_t room);

/* NULL is fine. */
void body_free(void *body);

#endif
