#include "trace.h"

#include "tests/support/suite.h"

#define TRACE "4bf92f3577b34da6a3ce929d0e0e4736"
#define SPAN "00f067aa0ba902b7"
#define PARENT(flags) "00-" TRACE "-" SPAN "-" flags

static struct fn_call call;

static void
call_open(void)
{
	call = (struct fn_call){.arena = fn_arena_new()};
}

static void
call_close(void)
{
	fn_arena_drop(call.arena);
}

static const struct {
	const char *traceparent, *cloud; /* the two headers; NULL: absent */
	const char *trace, *span;
	bool sampled;
} traces[] = {
	{NULL, NULL, "", "", false},
	{PARENT("01"), NULL, TRACE, SPAN, true},
	{PARENT("00"), NULL, TRACE, SPAN, false},
	{PARENT("ff"), NULL, TRACE, SPAN, true},
	{PARENT("02"), NULL, TRACE, SPAN, false},
	{"01-" TRACE "-" SPAN "-01-more", NULL, TRACE, SPAN, true},
	{"cc-" TRACE "-" SPAN "-01", NULL, TRACE, SPAN, true},
	{"ff-" TRACE "-" SPAN "-01", NULL, "", "", false},
	{"0g-" TRACE "-" SPAN "-01", NULL, "", "", false},
	{"0-" TRACE "-" SPAN "-01", NULL, "", "", false},
	{"00-" TRACE "-" SPAN "-01-more", NULL, "", "", false},
	{"00-" TRACE "-" SPAN "-01-", NULL, "", "", false},
	{"00-" TRACE "-" SPAN, NULL, "", "", false},
	{"00-" TRACE "-" SPAN "-1", NULL, "", "", false},
	{"00-" TRACE "-" SPAN "-0x", NULL, "", "", false},
	{"00-" TRACE "0-" SPAN "-01", NULL, "", "", false},
	{"00-4BF92F3577B34DA6A3CE929D0E0E4736-" SPAN "-01", NULL, "", "", false},
	{"00-00000000000000000000000000000000-" SPAN "-01", NULL, "", "", false},
	{"00-" TRACE "-0000000000000000-01", NULL, "", "", false},
	{"00-" TRACE "-00f067aa0ba902b-01", NULL, "", "", false},
	{"00", NULL, "", "", false},
	{"", NULL, "", "", false},
	{"\"},{\"severity\":\"", NULL, "", "", false},
	{NULL, TRACE "/74;o=1", TRACE, "000000000000004a", true},
	{NULL, TRACE "/74;o=0", TRACE, "000000000000004a", false},
	{NULL, TRACE "/74", TRACE, "000000000000004a", false},
	{NULL, TRACE "/18446744073709551615;o=1", TRACE, "ffffffffffffffff", true},
	{NULL, TRACE "/18446744073709551616;o=1", TRACE, "", true},
	{NULL, TRACE "/0;o=1", TRACE, "", true},
	{NULL, TRACE "/span;o=1", TRACE, "", true},
	{NULL, TRACE "/;o=1", TRACE, "", true},
	{NULL, TRACE ";o=1", TRACE, "", true},
	{NULL, TRACE, TRACE, "", false},
	{NULL, "00000000000000000000000000000000/1;o=1", "", "", false},
	{NULL, TRACE "f/1;o=1", "", "", false},
	{NULL, "trace/1;o=1", "", "", false},
	{NULL, "", "", "", false},
	{PARENT("01"), "105445aa7843bc8bf206b12000100000/1;o=0", TRACE, SPAN, true},
	{"malformed", TRACE "/74;o=1", TRACE, "000000000000004a", true},
};

/* Both headers say which trace a call is part of; a malformed one is as good as none. */
START_TEST(a_trace_is_read)
{
	struct fn_header headers[2];

	if (traces[_i].traceparent)
		headers[call.header_count++] = (struct fn_header){
			FN_BYTES("Traceparent"), fn_bytes(traces[_i].traceparent)};
	if (traces[_i].cloud)
		headers[call.header_count++] = (struct fn_header){
			FN_BYTES("x-cloud-trace-context"), fn_bytes(traces[_i].cloud)};
	call.headers = headers;
	trace_read(&call);
	ck_assert_str_eq(call.log.trace_id, traces[_i].trace);
	ck_assert_str_eq(call.log.span_id, traces[_i].span);
	ck_assert_int_eq(call.log.sampled, traces[_i].sampled);
}
END_TEST

/* An execution is called what its caller calls it. */
START_TEST(an_execution_is_named_by_its_caller)
{
	const struct fn_header header = {FN_BYTES("function-execution-id"), FN_BYTES("zw8n2")};

	call.headers = &header;
	call.header_count = 1;
	trace_execution(&call);
	ck_assert_bytes_eq(call.log.execution_id, "zw8n2");
}
END_TEST

/* Without a name from its caller each execution gets one of its own. */
START_TEST(an_execution_gets_a_name)
{
	struct fn_bytes first;

	trace_execution(&call);
	first = call.log.execution_id;
	ck_assert_uint_eq(first.size, 16);
	trace_execution(&call);
	ck_assert(!fn_bytes_equal(first, call.log.execution_id));
}
END_TEST

#define IN_CALL .setup = call_open, .teardown = call_close

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = a_trace_is_read, .rows = COUNT(traces), IN_CALL},
		{.test = an_execution_is_named_by_its_caller, IN_CALL},
		{.test = an_execution_gets_a_name, IN_CALL},
	};

	return suite_run("trace", cases, COUNT(cases));
}
