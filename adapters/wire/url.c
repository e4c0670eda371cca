#include "adapters/wire/url.h"

#include <arpa/inet.h>
#include <string.h>

#define HOST_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_:[]"
#define PORT_MOST 65535

/* "host", "host:8443", "[::1]:8443" */
static bool
read_host(struct fn_bytes authority, struct fn_bytes *host)
{
	const char *colon = memrchr(authority.at, ':', authority.size);
	uint64_t number;

	*host = authority;
	if (colon && authority.at[authority.size - 1] != ']') {
		struct fn_bytes port = {colon + 1, authority.size};

		host->size = (size_t)(colon - authority.at);
		port.size -= host->size + 1;
		TRY(fn_bytes_number(port, PORT_MOST, &number));
	}
	return fn_bytes_consists_of(*host, HOST_CHARACTERS);
}

static bool
is_loopback(struct fn_bytes host)
{
	char text[INET_ADDRSTRLEN] = "";
	struct in_addr address;

	if (fn_bytes_is(host, "localhost") || fn_bytes_is(host, "[::1]"))
		return true;
	if (host.size >= sizeof(text))
		return false;
	memcpy(text, host.at, host.size);
	return inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

bool
url_read(struct url *url, struct fn_bytes text)
{
	struct fn_bytes rest = text, scheme = fn_bytes_cut(&rest, ':'), host;
	bool has_tls = fn_bytes_is(scheme, "https");

	if ((!has_tls && !fn_bytes_is(scheme, "http")) || !fn_bytes_starts(rest, "//"))
		return false;
	rest = (struct fn_bytes){rest.at + 2, rest.size - 2};
	struct fn_bytes authority = fn_bytes_cut(&rest, '/');
	const char *end = authority.at + authority.size;

	TRY(read_host(authority, &host));
	*url = (struct url){
		.origin = {text.at, (size_t)(end - text.at)},
		.authority = authority,
		.path = rest,
		.has_tls = has_tls,
		.is_safe = has_tls || is_loopback(host),
	};
	return true;
}

bool
url_is_origin(struct fn_bytes text)
{
	struct url url;

	return url_read(&url, text) && url.origin.size == text.size;
}
