/* s3_server.h: a real S3 server beside the tests: s3rver from npm, which checks signatures.
 *
 * It is a child process on a free port of 127.0.0.1 and keeps its one bucket in a temporary folder.
 * PHOENIX_NPM names the folder where it is installed (build/npm by default). A setup that fails
 * aborts, and says why. */
#ifndef S3_SERVER_H
#define S3_SERVER_H

#define S3_SERVER_KEY_ID "S3RVER" /* the one key pair that it knows */
#define S3_SERVER_SECRET "S3RVER"

struct s3_server;

struct s3_server *s3_server_start(void);
void s3_server_stop(struct s3_server *); /* NULL is fine */

const char *s3_server_bucket_url(const struct s3_server *); /* "http://127.0.0.1:PORT/media" */

#endif
