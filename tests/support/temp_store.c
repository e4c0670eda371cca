#include "tests/support/temp_store.h"

#include "tests/support/temp.h"

#include <check.h>
#include <stdio.h>

struct document_store *
temp_store_open(void)
{
	char url[4200];
	const struct document_store_config config = {.url = url, .emulator_host = ""};
	struct document_store *store = NULL;
	struct fn_error err = {0};

	snprintf(url, sizeof(url), "sqlite:%s/phoenix.db", temp_folder());
	ck_assert_msg(document_store_open(&store, &config, NULL, NULL, &err), "%s", err.message);
	return store;
}
