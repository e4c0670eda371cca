#include "tests/support/shelf.h"

#include "fn/clock.h"
#include "tests/support/temp_store.h"

#include <check.h>

#define PATIENCE_MS 30000

struct document_store *documents;
struct fn_call call;
struct fn_error err;

void
shelf_begin(void)
{
	call = (struct fn_call){.arena = fn_arena_new(), .deadline_ms = fn_now_ms() + PATIENCE_MS};
	documents = temp_store_open();
}

void
shelf_end(void)
{
	document_store_close(documents);
	fn_arena_drop(call.arena);
	fn_clock_pretend(0);
}

void
must(bool ok)
{
	ck_assert_msg(ok, "%s", err.message);
}
