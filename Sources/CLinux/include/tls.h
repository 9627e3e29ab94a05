// OpenSSL's macros, its callbacks and its BIO over shared buffers, as plain functions.
// Contexts may be shared by threads; a `tw_tls` belongs to one thread at a time.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct ssl_ctx_st tw_tls_context;
typedef struct ssl_session_st tw_tls_session;
/// One end of one TLS connection.
typedef struct tw_tls tw_tls;

// Contexts ----------------------------------------------------------------------------------

/// A context for TLS 1.2 and 1.3 with modern ciphers and curves, or NULL when out of memory.
tw_tls_context *tw_tls_context_new(int is_server, int minimum, int maximum);
void tw_tls_context_free(tw_tls_context *context);
/// The following return 1, or 0 with the reason in `tw_tls_last_error`.
int tw_tls_use_chain(tw_tls_context *context, const uint8_t *pem, size_t count);
int tw_tls_use_key(tw_tls_context *context, const uint8_t *pem, size_t count);
/// Trusts the certificates of a PEM text; asks clients for one that they signed, if a server's.
int tw_tls_trust(tw_tls_context *context, const uint8_t *pem, size_t count);
int tw_tls_trust_system(tw_tls_context *context);
/// Whether the peer's certificate is checked (1), and must be there on a server (2).
void tw_tls_verify(tw_tls_context *context, int mode);
int tw_tls_tickets(tw_tls_context *context, int count);
/// The oldest error of this thread in OpenSSL's words, and forgets all.
void tw_tls_last_error(char *out, size_t capacity);

// Connections -------------------------------------------------------------------------------

static const ssize_t TW_TLS_WANTS_INPUT = 0;
static const ssize_t TW_TLS_WANTS_ROOM = -1;
static const ssize_t TW_TLS_PEER_ENDED = -2;
static const ssize_t TW_TLS_FAILED = -3;

/// A connection's end; `host` is whom a client wants to reach, checked when `verifies` is set.
tw_tls *tw_tls_new(
    tw_tls_context *context, int is_server, const char *host, int verifies,
    tw_tls_session *resume);
void tw_tls_free(tw_tls *tls);
/// Ciphertext to read from; what the calls below leave of it is to be given again.
void tw_tls_give(tw_tls *tls, const uint8_t *bytes, size_t count);
/// Where ciphertext goes until the next call of this; returns what went to the room before.
size_t tw_tls_room(tw_tls *tls, uint8_t *room, size_t capacity);
/// Takes steps of the handshake: 1 when it is done, else one of the above.
ssize_t tw_tls_handshake(tw_tls *tls);
/// Decrypts: the bytes put to `out`, at most one record's, or one of the above.
ssize_t tw_tls_read(tw_tls *tls, uint8_t *out, size_t capacity);
/// Encrypts: the bytes taken, at most one record's, or one of the above.
ssize_t tw_tls_write(tw_tls *tls, const uint8_t *bytes, size_t count);
/// Says to the peer that nothing more will come.
void tw_tls_end(tw_tls *tls);

int tw_tls_is_open(tw_tls *tls);
int tw_tls_was_resumed(tw_tls *tls);
/// 0x0303 or 0x0304.
int tw_tls_version(tw_tls *tls);
/// The subject of the peer's certificate (RFC 2253), as long as it fits: 1, or 0 if it has none.
int tw_tls_peer_subject(tw_tls *tls, char *out, size_t capacity);
/// The newest session the server gave for resuming, owned by the caller; NULL when none is new.
tw_tls_session *tw_tls_take_session(tw_tls *tls);
void tw_tls_session_free(tw_tls_session *session);
void tw_tls_session_retain(tw_tls_session *session);

/// Why a connection failed.
typedef struct {
  /// OpenSSL's reason code; from 1000 on it is an alert of the peer.
  int reason;
  /// The result of checking the peer's certificate; 0 is well.
  long verification;
  char text[160];
} tw_tls_failure;

void tw_tls_read_failure(tw_tls *tls, tw_tls_failure *out);

/// What a failure is about, whatever the version of OpenSSL calls it.
typedef enum {
  TW_TLS_OTHER,
  TW_TLS_NOT_TLS,
  TW_TLS_PLAIN_HTTP,
  TW_TLS_VERSION,
  TW_TLS_CIPHER,
  TW_TLS_PROTOCOL,
  TW_TLS_NO_CERTIFICATE,
  TW_TLS_EXPIRED,
  TW_TLS_NOT_YET_VALID,
  TW_TLS_SELF_SIGNED,
  TW_TLS_UNKNOWN_AUTHORITY,
  TW_TLS_WRONG_HOST,
  TW_TLS_BAD_CERTIFICATE,
} tw_tls_kind;

tw_tls_kind tw_tls_failure_kind(const tw_tls_failure *failure);

// Certificates ------------------------------------------------------------------------------

typedef struct {
  const char *common_name;
  /// Such as "DNS:localhost,IP:127.0.0.1"; NULL for none.
  const char *names;
  /// Seconds from now.
  long from, until;
  int is_authority;
  /// Who signs, as PEM texts; NULL signs itself.
  const char *issuer_certificate, *issuer_key;
} tw_certificate_request;

/// Makes an EC P-256 key and its certificate as PEM texts that `free` lets go: 1, or 0.
int tw_certificate_make(const tw_certificate_request *request, char **certificate, char **key);
/// The SHA-256 of the first certificate of a PEM text: 1, or 0 when there is none.
int tw_certificate_fingerprint(const uint8_t *pem, size_t count, uint8_t out[32]);
