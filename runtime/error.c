#include "fn/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct {
	enum fn_code code;
	int status;
} statuses[] = {
	{FN_OK, 200},
	{FN_INVALID, 400},
	{FN_UNAUTHENTICATED, 401},
	{FN_PAYMENT_REQUIRED, 402},
	{FN_FORBIDDEN, 403},
	{FN_NOT_FOUND, 404},
	{FN_METHOD_NOT_ALLOWED, 405},
	{FN_REQUEST_TIMEOUT, 408},
	{FN_CONFLICT, 409},
	{FN_PRECONDITION, 412},
	{FN_TOO_LARGE, 413},
	{FN_UNSUPPORTED_MEDIA, 415},
	{FN_UNPROCESSABLE, 422},
	{FN_RATE_LIMITED, 429},
	{FN_CLIENT_GONE, 499},
	{FN_INTERNAL, 500},
	{FN_UPSTREAM, 502},
	{FN_BUSY, 503},
	{FN_DEADLINE, 504},
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

bool(fn_fail)(struct fn_error *err, enum fn_code code, const char *sentence, ...)
{
	va_list args;

	err->code = code;
	err->retry_after_s = 0;
	va_start(args, sentence);
	vsnprintf(err->message, sizeof(err->message), sentence, args);
	va_end(args);
	return false;
}

bool(fn_wrap)(struct fn_error *err, const char *step, ...)
{
	char inner[sizeof(err->message)];
	va_list args;
	int size;

	memcpy(inner, err->message, sizeof(inner));
	va_start(args, step);
	size = vsnprintf(err->message, sizeof(err->message), step, args);
	va_end(args);
	if (size >= 0 && (size_t)size < sizeof(err->message))
		snprintf(err->message + size, sizeof(err->message) - (size_t)size, ": %s", inner);
	return false;
}

int
fn_code_status(enum fn_code code)
{
	for (size_t i = 0; i < COUNT(statuses); i++) {
		if (statuses[i].code == code)
			return statuses[i].status;
	}
	return 500;
}

enum fn_code
fn_code_of_status(int status)
{
	for (size_t i = 0; i < COUNT(statuses); i++) {
		if (statuses[i].status == status)
			return statuses[i].code;
	}
	return status >= 400 && status < 500 ? FN_INVALID : FN_UPSTREAM;
}
