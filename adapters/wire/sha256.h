/* sha256.h: SHA-256, by OpenSSL's provider that is looked for once. */
#ifndef SHA256_H
#define SHA256_H

#include "fn/bytes.h"

#include <openssl/evp.h>

struct sha256 {
	unsigned char at[32];
};

struct sha256 sha256_of(struct fn_bytes);

#define SHA256_HEX_SIZE 65 /* 64 lower-case digits and NUL */
void sha256_hex(const struct sha256 *, char hex[SHA256_HEX_SIZE]);

/* For what OpenSSL does with a hash. It lives as long as the process. */
const EVP_MD *sha256_method(void);

#endif
