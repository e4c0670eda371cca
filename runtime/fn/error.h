/* error.h: a code for machines, a sentence for people.
 *
 * Whoever meets a failure says so with fn_fail; whoever knows more adds it with fn_wrap.
 * Only the runtime logs an error, once, and only the runtime turns it into an HTTP answer:
 * for a code below 500 the client reads the message, so it must be fit for them to read;
 * for 5xx the message goes to the log alone and the client gets a sentence made from the code.
 *
 * Outputs of a function that fails are left as they were. */
#ifndef FN_ERROR_H
#define FN_ERROR_H

#include <stdbool.h>

enum fn_code {
	FN_OK = 0,
	FN_INVALID,            /* 400 the request (or a setting) is malformed */
	FN_UNAUTHENTICATED,    /* 401 who are you? */
	FN_PAYMENT_REQUIRED,   /* 402 the caller's means do not suffice */
	FN_FORBIDDEN,          /* 403 known, and not allowed */
	FN_NOT_FOUND,          /* 404 */
	FN_METHOD_NOT_ALLOWED, /* 405 */
	FN_REQUEST_TIMEOUT,    /* 408 the client was too slow in sending */
	FN_CONFLICT,           /* 409 it exists already, or is being made */
	FN_PRECONDITION,       /* 412 what had to hold for a write did not */
	FN_TOO_LARGE,          /* 413 */
	FN_UNSUPPORTED_MEDIA,  /* 415 */
	FN_UNPROCESSABLE,      /* 422 well-formed, and refused for what it says */
	FN_RATE_LIMITED,       /* 429 too many requests; see retry_after_s */
	FN_CLIENT_GONE,        /* 499 nobody waits for the answer any more */
	FN_INTERNAL,           /* 500 our own mistake */
	FN_UPSTREAM,           /* 502 a service we depend on failed */
	FN_BUSY,               /* 503 no room now; see retry_after_s */
	FN_DEADLINE,           /* 504 the time allowed is used up */
};

struct fn_error {
	enum fn_code code;
	unsigned retry_after_s; /* 0: unknown; sent as Retry-After where it has a meaning */
	char message[256];      /* outermost step first: "publish post p1: firestore: 503" */
};

#define FN_MUST __attribute__((warn_unused_result))

/* Ends the current function with false when a step failed: our one control-flow macro. */
#define TRY(step)                                                                                  \
	do {                                                                                       \
		if (!(step))                                                                       \
			return false;                                                              \
	} while (0)

/* Always false. A message too long for its place is cut at its end. */
bool fn_fail(struct fn_error *, enum fn_code, const char *sentence, ...)
	__attribute__((format(printf, 3, 4)));

/* Always false: puts "step: " in front of the message and keeps the code. */
bool fn_wrap(struct fn_error *, const char *step, ...) __attribute__((format(printf, 2, 3)));

/* That they are false is said to compilers as well, which else see paths that do not exist. */
#define fn_fail(...)                                                                               \
	(__extension__({                                                                           \
		(void)(fn_fail)(__VA_ARGS__);                                                      \
		false;                                                                             \
	}))
#define fn_wrap(...)                                                                               \
	(__extension__({                                                                           \
		(void)(fn_wrap)(__VA_ARGS__);                                                      \
		false;                                                                             \
	}))

/* The HTTP status that stands for a code. */
int fn_code_status(enum fn_code);

/* The other way round, for answers of services that we call: 503 is FN_BUSY, and so on.
 * Unlisted statuses: 4xx FN_INVALID, all else FN_UPSTREAM. */
enum fn_code fn_code_of_status(int status);

#endif
