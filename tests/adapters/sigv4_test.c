#include "adapters/wire/sigv4.h"

#include "tests/support/arena.h"
#include "tests/support/suite.h"

#define EMPTY_HASH "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

/* ---- Signatures ------------------------------------------------------------------------------ */

#define AWS "examplebucket.s3.amazonaws.com"
#define AWS_TIME "20130524T000000Z"
#define R2_TIME "20260102T030405Z"
#define WELCOME_HASH "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
#define PRESIGNED                                                                                  \
	"X-Amz-Algorithm=AWS4-HMAC-SHA256"                                                         \
	"&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"        \
	"&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"

/* All but the last are AWS's own examples, from "Signature Calculations for the Authorization
 * Header" and "Authenticating Requests: Using Query Parameters"; the last is what R2 is sent. */
static const struct {
	const char *region, *method, *path, *query, *time, *payload_hash, *headers, *signature;
} vectors[] = {
	{"us-east-1", "GET", "/test.txt", "", AWS_TIME, EMPTY_HASH,
		"host:" AWS "\nrange:bytes=0-9\nx-amz-content-sha256:" EMPTY_HASH
		"\nx-amz-date:" AWS_TIME,
		"f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
	{"us-east-1", "PUT", "/test%24file.text", "", AWS_TIME, WELCOME_HASH,
		"date:Fri, 24 May 2013 00:00:00 GMT\nhost:" AWS
		"\nx-amz-content-sha256:" WELCOME_HASH "\nx-amz-date:" AWS_TIME
		"\nx-amz-storage-class:REDUCED_REDUNDANCY",
		"98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
	{"us-east-1", "GET", "/", "lifecycle=", AWS_TIME, EMPTY_HASH,
		"host:" AWS "\nx-amz-content-sha256:" EMPTY_HASH "\nx-amz-date:" AWS_TIME,
		"fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
	{"us-east-1", "GET", "/", "max-keys=2&prefix=J", AWS_TIME, EMPTY_HASH,
		"host:" AWS "\nx-amz-content-sha256:" EMPTY_HASH "\nx-amz-date:" AWS_TIME,
		"34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"},
	{"us-east-1", "GET", "/test.txt", PRESIGNED, AWS_TIME, SIGV4_UNSIGNED_PAYLOAD, "host:" AWS,
		"aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"},
	{"auto", "PUT", "/phoenix-media/img/a%20b.png", "", R2_TIME, SIGV4_UNSIGNED_PAYLOAD,
		"cache-control:public, max-age=31536000, immutable\ncontent-type:image/png"
		"\nhost:acct.r2.cloudflarestorage.com\nif-none-match:*"
		"\nx-amz-content-sha256:" SIGV4_UNSIGNED_PAYLOAD "\nx-amz-date:" R2_TIME,
		"35e2c0eea3652f755cb4468ea8c8d14526b6271df9ae92525d817fe558f92aff"},
};

/* A request is signed as AWS signs it. */
START_TEST(signature_equals_the_published_one)
{
	const struct sigv4_credentials credentials = {
		"AKIAIOSFODNN7EXAMPLE",
		"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
		vectors[_i].region,
	};
	struct fn_header headers[8];
	struct sigv4_request request = {
		.method = vectors[_i].method,
		.path = vectors[_i].path,
		.query = vectors[_i].query,
		.headers = headers,
		.time = vectors[_i].time,
		.payload_hash = vectors[_i].payload_hash,
	};
	struct fn_bytes lines = fn_bytes(vectors[_i].headers);

	while (lines.size > 0) {
		struct fn_header *header = &headers[request.header_count++];
		header->value = fn_bytes_cut(&lines, '\n');
		header->name = fn_bytes_cut(&header->value, ':');
	}
	struct fn_bytes value = sigv4_authorization(&credentials, &request, arena);
	ck_assert_uint_gt(value.size, 64);
	struct fn_bytes signature = {value.at + value.size - 64, 64};
	ck_assert_bytes_eq(signature, vectors[_i].signature);
}
END_TEST

/* The header's value is spelled as S3 reads it: the scope, the names that are signed. */
START_TEST(authorization_names_scope_and_headers)
{
	const struct sigv4_credentials credentials = {"AK", "secret", "auto"};
	const struct fn_header headers[] = {
		{FN_BYTES("host"), FN_BYTES("localhost:9000")},
		{FN_BYTES("x-amz-date"), FN_BYTES(R2_TIME)},
	};
	const struct sigv4_request request = {
		.method = "GET",
		.path = "/b/k",
		.query = "",
		.headers = headers,
		.header_count = COUNT(headers),
		.time = R2_TIME,
		.payload_hash = EMPTY_HASH,
	};
	const char *start = "AWS4-HMAC-SHA256 Credential=AK/20260102/auto/s3/aws4_request, "
			    "SignedHeaders=host;x-amz-date, Signature=";

	struct fn_bytes value = sigv4_authorization(&credentials, &request, arena);
	ck_assert_msg(fn_bytes_starts(value, start), "%.*s", FN_ARG(value));
}
END_TEST

/* ---- Hashes and times ------------------------------------------------------------------------ */

static const struct {
	struct fn_bytes payload;
	const char *hex;
} hashes[] = {
	{{0}, EMPTY_HASH},
	{FN_BYTES_INIT("Welcome to Amazon S3."), WELCOME_HASH},
	{FN_BYTES_INIT("\0\xff"),
		"06eb7d6a69ee19e5fbdf749018d3d2abfa04bcbd1365db312eb86dc7169389b8"},
};

/* A payload is hashed whole, whatever its bytes. */
START_TEST(payload_is_hashed)
{
	char hex[SIGV4_HASH_SIZE];

	sigv4_hash(hashes[_i].payload, hex);
	ck_assert_str_eq(hex, hashes[_i].hex);
}
END_TEST

static const struct {
	int64_t unix_ms;
	const char *text;
} times[] = {
	{0, "19700101T000000Z"},
	{1369353600000, AWS_TIME},
	{1767323045999, R2_TIME},
};

/* A time is written in UTC, cut to the second. */
START_TEST(time_is_written_in_utc)
{
	char text[SIGV4_TIME_SIZE];

	sigv4_time(times[_i].unix_ms, text);
	ck_assert_str_eq(text, times[_i].text);
}
END_TEST

int
main(void)
{
	const struct suite_case cases[] = {
		{.test = signature_equals_the_published_one, .rows = COUNT(vectors)},
		{.test = authorization_names_scope_and_headers},
		{.test = payload_is_hashed, .rows = COUNT(hashes)},
		{.test = time_is_written_in_utc, .rows = COUNT(times)},
	};

	return suite_run_with("sigv4", cases, COUNT(cases), arena_begin, arena_end);
}
