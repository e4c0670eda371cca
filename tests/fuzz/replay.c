#include "tests/fuzz/fuzz.h"
#include "tests/support/suite.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static glob_t corpus;

/* In memory of its own, to the byte, so that a sanitizer sees a step over its end. */
START_TEST(corpus_is_survived)
{
	int fd = open(corpus.gl_pathv[_i], O_RDONLY | O_CLOEXEC);
	struct stat file;
	uint8_t *bytes;

	ck_assert_msg(fd >= 0 && fstat(fd, &file) == 0, "%s", corpus.gl_pathv[_i]);
	bytes = malloc((size_t)file.st_size);
	ck_assert_int_eq(read(fd, bytes, (size_t)file.st_size), file.st_size);
	ck_assert_int_eq(LLVMFuzzerTestOneInput(bytes, (size_t)file.st_size), 0);
	free(bytes);
	close(fd);
}
END_TEST

/* This program is called NAME_fuzz. */
int
main(void)
{
	struct fn_arena *arena = fn_arena_new();
	struct fn_bytes rest = fn_bytes(program_invocation_short_name);
	struct fn_bytes name = {rest.at, rest.size - sizeof("_fuzz") + 1};
	const char *pattern = fn_textf(arena, "tests/fuzz/corpus/%.*s/*", FN_ARG(name));
	int result = EXIT_FAILURE;

	if (glob(pattern, 0, NULL, &corpus) == 0) {
		const struct suite_case cases[] = {
			{.test = corpus_is_survived, .rows = corpus.gl_pathc}};

		result = suite_run(rest.at, cases, COUNT(cases));
		globfree(&corpus);
	}
	fn_arena_drop(arena);
	return result;
}
