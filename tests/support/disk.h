/* disk.h: a document store in a SQLite file, and documents with a number in them.
 *
 * One at a time; a setup that fails, fails the test. */
#ifndef DISK_H
#define DISK_H

#include "adapters/document_store.h"

struct disk {
	const char *folder;
	char path[4200], url[4300]; /* of the file */
	struct document_store_config config;
	struct document_store *store;
	struct fn_call call;
	struct fn_error err;
};

extern struct disk disk;

void disk_begin(void);
void disk_end(void);

/* From here on the file is there; and is opened. */
void disk_place(const char *under, const char *name);
void disk_open(void);

bool disk_write(enum document_write_kind, const char *id, int n, int64_t if_version);
bool disk_create(const char *id, int n);

/* The number in a document; -1: none, or (then disk.err says so) the store failed. */
int disk_number(const char *id);

/* Not `ok`, but disk.err is so. */
void disk_fails(bool ok, enum fn_code, const char *part);

#endif
