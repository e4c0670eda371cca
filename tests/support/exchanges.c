#include "tests/support/exchanges.h"

#include "tests/support/temp.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define API "/api/"

static char path[4096]; /* of the file; empty: it is not open */

void
exchanges_open(void)
{
	snprintf(path, sizeof(path), "%s/exchanges", temp_folder());
	setenv("EXCHANGES", path, 1);
}

/* ---- Keeping --------------------------------------------------------------------------------- */

/* In one piece, since others write to the same file. */
static void
append(const char *line, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, line, size), (ssize_t)size);
	close(fd);
}

static void
keep(const char *method, const char *target, int status, json_t *headers, struct fn_bytes body)
{
	json_t *exchange = json_pack("{s:s, s:s, s:i, s:o, s:s%}", "method", method, "target",
		target, "status", status, "headers", headers, "body", body.size ? body.at : "",
		body.size);

	ck_assert_msg(exchange, "%s %s: the answer is no text", method, target);
	char *json = json_dumps(exchange, JSON_COMPACT | JSON_ENSURE_ASCII);
	size_t size = strlen(json);
	json[size++] = '\n'; /* in the place of its end */
	append(json, size);
	free(json);
	json_decref(exchange);
}

static void
add_header(json_t *headers, struct fn_bytes name, struct fn_bytes value)
{
	json_array_append_new(headers,
		json_pack("[s%, s%]", name.at, name.size, value.size ? value.at : "", value.size));
}

bool
exchange_send(struct fn_http_client *client, struct fn_call *call,
	const struct fn_http_request *request, struct fn_http_response *response,
	struct fn_error *err)
{
	const char *target = strchr(strstr(request->url, "://") + strlen("://"), '/');

	TRY(fn_http_send(client, call, request, response, err));
	if (strncmp(target, API, strlen(API)) != 0)
		return true;
	json_t *headers = json_array();
	for (size_t i = 0; i < response->header_count; i++)
		add_header(headers, response->headers[i].name, response->headers[i].value);
	keep(request->method ? request->method : "GET", target, response->status, headers,
		(struct fn_bytes){response->body, response->size});
	return true;
}

static struct fn_bytes
cut_line(struct fn_bytes *head)
{
	struct fn_bytes line = fn_bytes_cut(head, '\r');

	fn_bytes_cut(head, '\n');
	return line;
}

void
exchange_keep(const char *method, const char *target, struct fn_bytes head, struct fn_bytes body)
{
	struct fn_bytes line = cut_line(&head);
	json_t *headers = json_array();

	fn_bytes_cut(&line, ' ');
	int status = (int)strtol(line.at, NULL, 10);
	while ((line = cut_line(&head)).size > 0) {
		struct fn_bytes name = fn_bytes_cut(&line, ':');

		add_header(headers, name, fn_bytes_trim(line));
	}
	keep(method, target, status, headers, body);
}

/* ---- Comparing ------------------------------------------------------------------------------- */

void
exchanges_run(const char *script, const char *words)
{
	const char *npm = getenv("PHOENIX_NPM") ? getenv("PHOENIX_NPM") : "build/npm";
	char command[8192];

	snprintf(command, sizeof(command),
		"NODE_PATH='%s/node_modules' node tests/e2e/%s docs/openapi.yaml '%s' %s 2>&1", npm,
		script, path, words);
	ck_assert_int_eq(system(command), 0);
}

START_TEST(answers_are_as_the_document_says)
{
	exchanges_run("openapi_check.js", "");
}
END_TEST

struct suite_case
exchanges_case(void)
{
	exchanges_open();
	return (struct suite_case){.test = answers_are_as_the_document_says};
}
