/* http_status.h: the reason phrases of HTTP (RFC 9110, 15; RFC 6585). */
#ifndef HTTP_STATUS_H
#define HTTP_STATUS_H

const char *http_reason(int status); /* "Unknown" for one without a name */

#endif
