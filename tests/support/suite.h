/* suite.h: a table of tests becomes a program, over Check.
 *
 *	int
 *	main(void)
 *	{
 *		const struct suite_case cases[] = {
 *			{.test = number_is_read_or_refused, .rows = COUNT(numbers)},
 *			{.test = builder_grows},
 *		};
 *		return suite_run_with("bytes", cases, COUNT(cases), setup, teardown);
 *	}
 *
 * Each row of each test runs in its own child process, so that one crash fails one check;
 * CK_FORK=no keeps all in one process, for debuggers. What all tests share (a server) is started
 * before suite_run and stopped after it. */
#ifndef SUITE_H
#define SUITE_H

#include "fn/bytes.h"

#include <check.h>
#include <stddef.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

struct suite_case {
	const TTest *test;                      /* named by START_TEST */
	size_t rows;                            /* how often it runs, with _i from 0; 0: once */
	void (*setup)(void), (*teardown)(void); /* around each row, in its process; NULL: none */
};

/* Says, before it runs, that so many checks cannot be made on this machine; they count as neither
 * passed nor failed. A program of which none can be made exits with 77 instead. */
void suite_skipped(size_t checks, const char *why);

/* Runs all cases and prints what failed and Check's summary. The result is for main to return. */
int suite_run(const char *name, const struct suite_case *, size_t count);

/* The same with a setup and a teardown for all cases that do not bring their own. */
int suite_run_with(const char *name, const struct suite_case *, size_t count, void (*setup)(void),
	void (*teardown)(void));

#define ck_assert_bytes_eq(bytes, text)                                                            \
	do {                                                                                       \
		struct fn_bytes bytes_ = (bytes), text_ = fn_bytes(text);                          \
		ck_assert_msg(fn_bytes_equal(bytes_, text_), "%s is \"%.*s\", not \"%.*s\"",       \
			#bytes, FN_ARG(bytes_), FN_ARG(text_));                                    \
	} while (0)

#endif
