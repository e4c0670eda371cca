/* URLs are taken apart, or refused where it is not plain whom they name. */
#include "adapters/wire/url.h"

#include "tests/support/suite.h"

static const struct {
	const char *text;
	const char *origin, *authority, *path; /* no origin: it is refused */
	bool is_safe;
} cases[] = {
	{"https://example.com", "https://example.com", "example.com", "", true},
	{"https://example.com/", "https://example.com", "example.com", "", true},
	{"https://a.example:8443/b/c?d", "https://a.example:8443", "a.example:8443", "b/c?d", true},
	{"http://example.com/a", "http://example.com", "example.com", "a", false},
	{"http://my_service:80", "http://my_service:80", "my_service:80", "", false},
	{"http://10.0.0.1", "http://10.0.0.1", "10.0.0.1", "", false},

	{"http://localhost", "http://localhost", "localhost", "", true},
	{"http://localhost:80/a", "http://localhost:80", "localhost:80", "a", true},
	{"http://127.1.2.3:80", "http://127.1.2.3:80", "127.1.2.3:80", "", true},
	{"http://[::1]", "http://[::1]", "[::1]", "", true},
	{"http://[::1]:80/a", "http://[::1]:80", "[::1]:80", "a", true},
	{"http://[::2]:80", "http://[::2]:80", "[::2]:80", "", false},
	{"http://localhost.example", "http://localhost.example", "localhost.example", "", false},
	{"http://127.0.0.1.example", "http://127.0.0.1.example", "127.0.0.1.example", "", false},
	{"http://127.1", "http://127.1", "127.1", "", false},

	{"", NULL, NULL, NULL, false},
	{"example.com", NULL, NULL, NULL, false},
	{"https:", NULL, NULL, NULL, false},
	{"https:/example.com", NULL, NULL, NULL, false},
	{"https://", NULL, NULL, NULL, false},
	{"https:///a", NULL, NULL, NULL, false},
	{"ftp://example.com", NULL, NULL, NULL, false},
	{"HTTPS://example.com", NULL, NULL, NULL, false},
	{"https://:80", NULL, NULL, NULL, false},
	{"https://example.com:", NULL, NULL, NULL, false},
	{"https://example.com:a", NULL, NULL, NULL, false},
	{"https://example.com:65536", NULL, NULL, NULL, false},
	{"https://[::1].example", NULL, NULL, NULL, false},
	{"https://example.com?a", NULL, NULL, NULL, false},
	{"https://example.com#a", NULL, NULL, NULL, false},
	{"https://exa mple.com", NULL, NULL, NULL, false},
	{"https://me:word@example.com", NULL, NULL, NULL, false},
	{"http://localhost@example.com", NULL, NULL, NULL, false},
	{"http://localhost:80@example.com", NULL, NULL, NULL, false},
	{"http://127.0.0.1:80@example.com/", NULL, NULL, NULL, false},
	{"http://[::1]@example.com", NULL, NULL, NULL, false},
	{"http://localhost\\@example.com", NULL, NULL, NULL, false},
};

START_TEST(url_is_taken_apart)
{
	const char *text = cases[_i].text;
	struct url url;

	ck_assert_msg(url_read(&url, fn_bytes(text)) == !!cases[_i].origin, "%s", text);
	if (!cases[_i].origin)
		return;
	ck_assert_bytes_eq(url.origin, cases[_i].origin);
	ck_assert_bytes_eq(url.authority, cases[_i].authority);
	ck_assert_bytes_eq(url.path, cases[_i].path);
	ck_assert_msg(url.has_tls == fn_bytes_starts(fn_bytes(text), "https:"), "%s", text);
	ck_assert_msg(url.is_safe == cases[_i].is_safe, "%s", text);
}
END_TEST

/* An origin has nothing behind its host, not even the '/'. */
START_TEST(origin_is_known)
{
	ck_assert(url_is_origin(FN_BYTES("https://example.com")));
	ck_assert(url_is_origin(FN_BYTES("http://127.0.0.1:8080")));
	ck_assert(!url_is_origin(FN_BYTES("https://example.com/")));
	ck_assert(!url_is_origin(FN_BYTES("https://example.com/a")));
	ck_assert(!url_is_origin(FN_BYTES("example.com")));
}
END_TEST

int
main(void)
{
	const struct suite_case suite[] = {
		{.test = url_is_taken_apart, .rows = COUNT(cases)},
		{.test = origin_is_known},
	};

	return suite_run("url", suite, COUNT(suite));
}
