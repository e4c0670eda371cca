#include "adapters/wire/sha256.h"

#include <assert.h>
#include <pthread.h>

static EVP_MD *method;

static void
fetch(void)
{
	method = EVP_MD_fetch(NULL, "SHA256", NULL);
	assert(method);
}

/* EVP_sha256() is looked up by name, under a lock, each time it is used. */
const EVP_MD *
sha256_method(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, fetch);
	return method;
}

struct sha256
sha256_of(struct fn_bytes bytes)
{
	struct sha256 digest;
	int done = EVP_Digest(bytes.at, bytes.size, digest.at, NULL, sha256_method(), NULL);

	assert(done == 1);
	return digest;
}

void
sha256_hex(const struct sha256 *digest, char hex[SHA256_HEX_SIZE])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(digest->at); i++) {
		*hex++ = digits[digest->at[i] >> 4];
		*hex++ = digits[digest->at[i] & 15];
	}
	*hex = '\0';
}
