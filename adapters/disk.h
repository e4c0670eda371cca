/* disk.h: all of what is to be written or read, however many calls that takes. Private to adapters.
 *
 * Both return 0, or the errno of the call that failed. */
#ifndef DISK_H
#define DISK_H

#include "fn/bytes.h"

int disk_write(int file, struct fn_bytes);

/* EIO: the file ends before. */
int disk_read(int file, uint64_t offset, char *into, size_t size);

#endif
