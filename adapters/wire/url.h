/* url.h: URLs of HTTP in settings and documents: whom they name, and whether that is safe.
 *
 * Only what a service is ever reached by is taken. A user before the host is not: behind it another
 * host could hide ("http://localhost:80@example.com").
 * Source: RFC 3986, section 3.2. */
#ifndef URL_H
#define URL_H

#include "fn/bytes.h"

struct url {                       /* all of it borrowed from the text */
	struct fn_bytes origin;    /* "https://host:8443" */
	struct fn_bytes authority; /* "host:8443" */
	struct fn_bytes path;      /* what is behind the next '/'; may be empty */
	bool has_tls;
	bool is_safe; /* nobody on the way can change anything: TLS, or not beyond this machine */
};

/* False where the text is no http or https URL with a host. */
bool url_read(struct url *, struct fn_bytes text);

/* Whether the text is an origin alone, for paths to be appended to. */
bool url_is_origin(struct fn_bytes text);

#endif
