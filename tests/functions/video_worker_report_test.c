/* What alerts go by: once a minute a worker logs how many jobs wait, in the words that
 * terraform/metrics.tf looks for. */
#include "tests/support/suite.h"
#include "tests/support/temp.h"
#include "tests/support/workshop.h"

#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE "queue: [0-9]+ jobs wait, the oldest for [0-9]+ s"

/* A file's beginning, as a C string. */
static const char *
text_of(int fd)
{
	char *text = fn_arena_zero(shop.call.arena, 65536);

	ck_assert(fd >= 0 && pread(fd, text, 65535, 0) >= 0);
	return text;
}

/* What the worker logs while it is woken. */
static const char *
log_of_a_wake(void)
{
	const char *path = fn_textf(shop.call.arena, "%s/log", temp_folder());
	int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), own = dup(STDOUT_FILENO);

	fflush(stdout);
	ck_assert(file >= 0 && own >= 0 && dup2(file, STDOUT_FILENO) >= 0);
	fn_log_level(FN_INFO);
	(void)workshop_wake();
	ck_assert(dup2(own, STDOUT_FILENO) >= 0);
	close(own);
	return text_of(file);
}

/* What picks the line in the infrastructure, and its two numbers. */
static const char *const readers[] = {
	"jsonPayload.message:\\\" jobs wait, the oldest for \\\"\"",
	"\\\"queue: ([0-9]+) jobs\\\"",
	"\\\"oldest for ([0-9]+) s\\\"",
};

/* The line is there, it counts, and the infrastructure reads it. */
START_TEST(queue_is_reported)
{
	static const enum said usual[] = {STARTED, STORED, BYTES, SAID_NO_MORE};
	const char *metrics = text_of(open("terraform/metrics.tf", O_RDONLY | O_CLOEXEC));
	regex_t line;

	workshop_model_says(usual);
	(void)workshop_submit("user_a");
	(void)workshop_submit("user_b");
	const char *logged = log_of_a_wake();

	ck_assert_int_eq(regcomp(&line, "\"" LINE "\"", REG_EXTENDED | REG_NOSUB), 0);
	ck_assert_msg(regexec(&line, logged, 0, NULL, 0) == 0, "%s", logged);
	regfree(&line);
	ck_assert_msg(strstr(logged, "queue: 2 jobs wait"), "%s", logged);
	for (size_t i = 0; i < COUNT(readers); i++)
		ck_assert_msg(strstr(metrics, readers[i]), "%s", readers[i]);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {{.test = queue_is_reported}};

	return suite_run_with(
		"video_worker_report", cases, COUNT(cases), workshop_open, workshop_close);
}
