/* run_admin_server.h: Cloud Run's Admin API inside the test, as far as limits of instances go.
 *
 * It keeps services, each with an etag that every change replaces; a change that carries another
 * etag is refused. A change is an operation, done when it has been asked for often enough. A change
 * that would do more than was meant (without a mask, with a template) is refused as Google does.
 * Like led_server, it is the only server in its process. */
#ifndef RUN_ADMIN_SERVER_H
#define RUN_ADMIN_SERVER_H

#include "fn/call.h"

void run_admin_server_start(void);
void run_admin_server_stop(void);
const char *run_admin_server_url(void); /* "http://127.0.0.1:PORT" */

/* A new service with a ceiling and no limit of its own; the name is borrowed. */
void run_admin_server_add(const char *name, int64_t ceiling);
int64_t run_admin_server_limit(const char *name);
unsigned run_admin_server_writes(const char *name); /* changes so far */
unsigned run_admin_server_asked(const char *method);

/* Somebody else deploys: the ceiling changes, and with it the etag. */
void run_admin_server_deploy(const char *name, int64_t ceiling);

/* What comes over the next `times` requests with this method. */
struct run_admin_fault {
	const char *method;
	unsigned times;
	int status;         /* 0: it is answered as always... */
	const char *answer; /* ...else so; NULL: an error of this status with no words */
	bool happens;       /* a change is made all the same */
};
void run_admin_server_fault(const struct run_admin_fault *);

/* So many of a hundred requests fail, one way or another, half of them after the change. */
void run_admin_server_fail_often(unsigned percent);

/* An operation is done when it is asked for the nth time; 0: at once. It ends with `error`, a JSON
 * object, or, NULL, well. */
void run_admin_server_operations(unsigned polls, const char *error);

/* Called once, when the next change has come and nothing has been done about it. */
void run_admin_server_before_change(void (*)(void));

#endif
