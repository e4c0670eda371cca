#include "domain/cursor.h"

#include "fn/base64.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <string.h>
#include <sys/random.h>

#define MAC_SIZE 16      /* of SHA-256's 32 bytes: nobody guesses 128 bits */
#define CURSOR_MOST 1024 /* bytes */

/* ---- Key ------------------------------------------------------------------------------------- */

static void
hmac(const unsigned char *key, size_t key_size, struct fn_bytes text, unsigned char digest[32])
{
	unsigned size;

	HMAC(EVP_sha256(), key, (int)key_size, (const unsigned char *)text.at, text.size, digest,
		&size);
}

/* The secret may be one that signs other things as well: what is made here is of no use there. */
void
cursor_key_init(struct cursor_key *key, struct fn_bytes secret)
{
	if (secret.size == 0) {
		ssize_t got = getrandom(key->bytes, sizeof(key->bytes), 0);

		assert(got == sizeof(key->bytes));
		return;
	}
	hmac((const unsigned char *)secret.at, secret.size, FN_BYTES("phoenix cursor"), key->bytes);
}

/* Neither a list nor a token has a NUL in it. */
static void
sign(const struct cursor_key *key, struct fn_call *call, struct fn_bytes list,
	struct fn_bytes token, char mac[MAC_SIZE])
{
	struct fn_builder text = {.arena = call->arena};
	unsigned char digest[32];

	fn_add(&text, list);
	fn_add(&text, (struct fn_bytes){"", 1});
	fn_add(&text, token);
	hmac(key->bytes, sizeof(key->bytes), fn_built(&text), digest);
	memcpy(mac, digest, MAC_SIZE);
}

/* ---- Cursor ---------------------------------------------------------------------------------- */

struct fn_bytes
cursor_seal(const struct cursor_key *key, struct fn_call *call, struct fn_bytes list,
	struct fn_bytes token)
{
	struct fn_builder sealed = {.arena = call->arena};
	char mac[MAC_SIZE];

	if (token.size == 0)
		return token;
	sign(key, call, list, token, mac);
	fn_add(&sealed, (struct fn_bytes){mac, sizeof(mac)});
	fn_add(&sealed, token);
	return fn_base64url_encode(fn_built(&sealed), call->arena);
}

bool
cursor_open(const struct cursor_key *key, struct fn_call *call, struct fn_bytes list,
	struct fn_bytes cursor, struct fn_bytes *token, struct fn_error *err)
{
	struct fn_bytes sealed, inside;
	char mac[MAC_SIZE];

	if (cursor.size > CURSOR_MOST || !fn_base64url_decode(cursor, call->arena, &sealed) ||
		sealed.size <= MAC_SIZE)
		return fn_fail(err, FN_INVALID, "cursor: this is none of ours");
	inside = (struct fn_bytes){sealed.at + MAC_SIZE, sealed.size - MAC_SIZE};
	sign(key, call, list, inside, mac);
	if (CRYPTO_memcmp(mac, sealed.at, MAC_SIZE) != 0)
		return fn_fail(err, FN_INVALID, "cursor: this is none of ours, or of another list");
	*token = inside;
	return true;
}
