/* sigv4.h: AWS Signature Version 4, as S3 and its look-alikes want it.
 *
 * What is given is what is signed: the path, the query and the headers must be those that will
 * be sent, byte for byte.
 * Source: docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html. */
#ifndef SIGV4_H
#define SIGV4_H

#include "fn/call.h"

#define SIGV4_TIME_SIZE 17 /* "20130524T000000Z" */
#define SIGV4_HASH_SIZE 65 /* SHA-256 in lower-case hex */
#define SIGV4_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"

struct sigv4_credentials {
	const char *access_key_id;
	const char *secret_access_key;
	const char *region;
};

struct sigv4_request {
	const char *method;
	const char *path;                /* each segment percent-encoded once, not normalised */
	const char *query;               /* encoded and sorted; "": none */
	const struct fn_header *headers; /* host among them; names lower-case, sorted */
	size_t header_count;
	const char *time;         /* as in x-amz-date */
	const char *payload_hash; /* as in x-amz-content-sha256 */
};

void sigv4_time(int64_t unix_ms, char text[SIGV4_TIME_SIZE]);
void sigv4_hash(struct fn_bytes payload, char hex[SIGV4_HASH_SIZE]);

/* The value of the Authorization header. */
struct fn_bytes sigv4_authorization(
	const struct sigv4_credentials *, const struct sigv4_request *, struct fn_arena *);

#endif
