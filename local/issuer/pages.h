/* pages.h: the two pages of the local issuer, in the dress of Phoenix's own. */
#ifndef PAGES_H
#define PAGES_H

#define PAGE_HEAD                                                                                  \
	"<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"                  \
	"<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"               \
	"<meta name=\"color-scheme\" content=\"light dark\">\n<title>Sign in - Phoenix</title>\n"  \
	"<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n<main>\n"
#define PAGE_FOOT "</main>\n</body>\n</html>\n"

#define PAGE_ASK                                                                                   \
	PAGE_HEAD                                                                                  \
	"<h1>Sign in</h1>\n<form class=\"card\" method=\"post\" action=\"/issuer\">\n"             \
	"<label for=\"name\">Who would you like to be on this machine?</label>\n"                  \
	"<input id=\"name\" name=\"name\" required maxlength=\"32\" pattern=\"[a-z0-9_\\-]+\" "    \
	"autocomplete=\"username\" autofocus>\n<button class=\"primary\">Get a token</button>\n"   \
	"</form>\n" PAGE_FOOT

/* A name, minutes, the token, the origin, the token again. */
#define PAGE_TELL                                                                                  \
	PAGE_HEAD                                                                                  \
	"<h1>You are %.*s</h1>\n<section class=\"card\">\n"                                        \
	"<label for=\"token\">Your token, for %ld minutes:</label>\n"                              \
	"<textarea id=\"token\" rows=\"6\" readonly>%.*s</textarea>\n"                             \
	"<label for=\"line\">Who it says you are, in a line to paste:</label>\n"                   \
	"<textarea id=\"line\" rows=\"7\" readonly>curl %s/api/me -H 'Authorization: Bearer %.*s'" \
	"</textarea>\n</section>\n" PAGE_FOOT

#endif
