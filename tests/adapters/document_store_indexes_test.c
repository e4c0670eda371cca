/* That a query whose index nobody has declared is refused before Firestore would. */
#include "adapters/document_store_indexes.h"
#include "tests/support/suite.h"

#define ONE(field)                                                                                 \
	{                                                                                          \
		{                                                                                  \
			field, NULL                                                                \
		}                                                                                  \
	}
#define TWO(first, second)                                                                         \
	{                                                                                          \
		{first, NULL},                                                                     \
		{                                                                                  \
			second, NULL                                                               \
		}                                                                                  \
	}

static const struct {
	struct document_query query;
	bool is_indexed;
} queries[] = {
	{{"creations", ONE("status"), 1, "touched_at_ms", false, .limit = 1}, true},
	{{"creations", ONE("status"), 1, "touched_at_ms", true, .limit = 1}, false},
	{{"creations", ONE("status"), 1, "created_at_ms", false, .limit = 1}, false},
	{{"creations", ONE("colour"), 1, "touched_at_ms", false, .limit = 1}, false},
	{{"others", ONE("status"), 1, "touched_at_ms", false, .limit = 1}, false},
	{{"creations", TWO("type", "listed"), 2, "created_at_ms", true, .limit = 1}, true},
	{{"creations", TWO("listed", "type"), 2, "created_at_ms", true, .limit = 1}, true},
	{{"creations", TWO("listed", "colour"), 2, "created_at_ms", true, .limit = 1}, false},
	{{"creations", TWO("colour", "size"), 2, .limit = 1}, true},
	{{"creations", .order_by = "size", .descending = true, .limit = 1}, true},
};
START_TEST(query_is_served_by_an_index)
{
	struct fn_error err;
	bool ok = document_store_is_indexed(&queries[_i].query, &err);

	ck_assert_int_eq(ok, queries[_i].is_indexed);
	ck_assert(ok || err.code == FN_INTERNAL);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = query_is_served_by_an_index, .rows = COUNT(queries)},
	};

	return suite_run("document store indexes", cases, COUNT(cases));
}
