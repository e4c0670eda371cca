#include "adapters/disk.h"

#include <errno.h>
#include <unistd.h>

int
disk_write(int file, struct fn_bytes bytes)
{
	while (bytes.size > 0) {
		ssize_t written = write(file, bytes.at, bytes.size);

		if (written < 0 && errno != EINTR)
			return errno;
		if (written > 0) {
			bytes.at += written;
			bytes.size -= (size_t)written;
		}
	}
	return 0;
}

int
disk_read(int file, uint64_t offset, char *into, size_t size)
{
	while (size > 0) {
		ssize_t got = pread(file, into, size, (off_t)offset);

		if (got < 0 && errno != EINTR)
			return errno;
		if (got == 0)
			return EIO;
		if (got > 0) {
			offset += (uint64_t)got;
			into += got;
			size -= (size_t)got;
		}
	}
	return 0;
}
