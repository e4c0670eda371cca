#include "tests/support/disk.h"

#include "adapters/wire/json.h"
#include "fn/clock.h"
#include "tests/support/suite.h"
#include "tests/support/temp.h"

#include <stdio.h>
#include <string.h>

struct disk disk = {.config.url = disk.url};

void
disk_open(void)
{
	ck_assert_msg(document_store_open(&disk.store, &disk.config, NULL, NULL, &disk.err), "%s",
		disk.err.message);
}

void
disk_place(const char *under, const char *name)
{
	snprintf(disk.path, sizeof(disk.path), "%s/%s", under, name);
	snprintf(disk.url, sizeof(disk.url), "sqlite:%s", disk.path);
}

void
disk_begin(void)
{
	disk.folder = temp_folder();
	disk_place(disk.folder, "phoenix.db");
	disk_open();
	disk.call = (struct fn_call){.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + 120000};
}

void
disk_end(void)
{
	document_store_close(disk.store);
	fn_arena_drop(disk.call.arena);
}

bool
disk_write(enum document_write_kind kind, const char *id, int n, int64_t if_version)
{
	struct document_write write = {
		.kind = kind,
		.collection = "things",
		.id = fn_bytes(id),
		.fields = json_keep(disk.call.arena, json_pack("{s:i}", "n", n)),
		.if_version = if_version,
	};

	return document_store_commit(disk.store, &disk.call, &write, 1, &disk.err);
}

bool
disk_create(const char *id, int n)
{
	return disk_write(DOCUMENT_CREATE, id, n, 0);
}

int
disk_number(const char *id)
{
	struct document document;

	if (!document_store_get(
		    disk.store, &disk.call, "things", fn_bytes(id), &document, &disk.err))
		return -1;
	return (int)json_integer_value(json_object_get(document.fields, "n"));
}

void
disk_fails(bool ok, enum fn_code code, const char *part)
{
	ck_assert_msg(!ok && disk.err.code == code && strstr(disk.err.message, part),
		"ok %d, code %d, \"%s\", not \"%s\"", ok, disk.err.code, disk.err.message, part);
}
