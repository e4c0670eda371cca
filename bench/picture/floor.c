/* floor PORT UPSTREAM_PORT: the least that a picture can cost: read, decode, hash, write.
 *
 * A thread per connection, buffers that are used again, nothing checked, nothing remembered. What
 * a real service takes beyond this is the price of being one. */
#include "bench/picture/plain_http.h"

#include <err.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HASH_SIZE 32

static const char *upstream_port;
static uint8_t sextets[256];

static void
sextets_fill(void)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (uint8_t i = 0; digits[i]; i++)
		sextets[(uint8_t)digits[i]] = i;
}

/* In place; returns the bytes' count. */
static size_t
base64_decode(uint8_t *at, size_t size)
{
	uint8_t *out = at;

	for (const uint8_t *in = at; in < at + size; in += 4, out += 3) {
		uint32_t group = (uint32_t)sextets[in[0]] << 18 | (uint32_t)sextets[in[1]] << 12 |
				 (uint32_t)sextets[in[2]] << 6 | sextets[in[3]];

		out[0] = (uint8_t)(group >> 16);
		out[1] = (uint8_t)(group >> 8);
		out[2] = (uint8_t)group;
	}
	return (size_t)(out - at) - (at[size - 1] == '=') - (at[size - 2] == '=');
}

static void
hash_hex(const void *at, size_t size, char hex[2 * HASH_SIZE + 1])
{
	uint8_t hash[HASH_SIZE];

	EVP_Digest(at, size, hash, NULL, EVP_sha256(), NULL);
	for (size_t i = 0; i < HASH_SIZE; i++)
		sprintf(hex + 2 * i, "%02x", hash[i]);
}

/* One of these per connection. */
struct worker {
	int model, bucket;
	struct message answer; /* of the model */
	struct message stored;
};

/* The base64 text ends at the first quote behind the longest string's beginning. */
static void
paint(struct worker *worker)
{
	static const char begin[] = "\"data\":\"";
	static const char ask[] =
		"{\"contents\":[{\"role\":\"user\",\"parts\":[{\"text\":\"a red fox\"}]}]}";
	char head[256], hash[2 * HASH_SIZE + 1];

	snprintf(head, sizeof(head),
		"POST /v1/models/floor:generateContent HTTP/1.1\r\nContent-Length: %zu\r\n\r\n",
		sizeof(ask) - 1);
	message_send(worker->model, head, ask, sizeof(ask) - 1);
	if (!message_read(&worker->answer, worker->model))
		errx(1, "the model hung up");

	struct message *answer = &worker->answer;
	char *at = strstr(answer->at + answer->head, begin) + sizeof(begin) - 1;
	const char *end = memchr(at, '"', answer->size);
	size_t size = base64_decode((uint8_t *)at, (size_t)(end - at));

	hash_hex(at, size, hash);
	snprintf(head, sizeof(head),
		"PUT /bucket/floor.png HTTP/1.1\r\nx-amz-content-sha256: %s\r\n"
		"Content-Length: %zu\r\n\r\n",
		hash, size);
	message_send(worker->bucket, head, at, size);
	if (!message_read(&worker->stored, worker->bucket))
		errx(1, "the bucket hung up");
}

static void
serve(int fd)
{
	static const char created[] = "{\"url\":\"/bucket/floor.png\"}";
	struct message request = {0};
	struct worker worker = {
		.model = connection_open(upstream_port),
		.bucket = connection_open(upstream_port),
	};

	while (message_read(&request, fd)) {
		paint(&worker);
		message_send(fd, "HTTP/1.1 201 Created\r\nContent-Length: 27\r\n\r\n", created,
			sizeof(created) - 1);
	}
	free(request.at);
	free(worker.answer.at);
	free(worker.stored.at);
	close(worker.model);
	close(worker.bucket);
}

int
main(int argc, char **argv)
{
	if (argc != 3)
		errx(1, "usage: floor PORT UPSTREAM_PORT");
	upstream_port = argv[2];
	sextets_fill();
	connections_serve(argv[1], serve);
}
