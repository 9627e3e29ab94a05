#include "tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

struct tw_tls {
  SSL *ssl;
  const uint8_t *input;
  size_t input_count;
  uint8_t *room;
  size_t room_count, room_capacity;
  tw_tls_session *fresh;
};

// Contexts ----------------------------------------------------------------------------------

// Forward secrecy and authenticated encryption only (RFC 9325 §4.2); TLS 1.3 has nothing else.
static const char *const ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
static const unsigned char protocols[] = "\x08http/1.1";

// RFC 7301 §3.2: a client that offers protocols and not ours gets a fatal alert.
static int choose_protocol(
    SSL *ssl, const unsigned char **out, unsigned char *out_count, const unsigned char *offered,
    unsigned int count, void *unused) {
  (void)ssl, (void)unused;
  int status = SSL_select_next_proto(
      (unsigned char **)out, out_count, protocols, sizeof protocols - 1, offered, count);
  return status == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int keep_session(SSL *ssl, SSL_SESSION *session) {
  tw_tls *tls = SSL_get_app_data(ssl);
  if (!tls) return 0;
  SSL_SESSION_free(tls->fresh);
  tls->fresh = session;
  return 1;
}

tw_tls_context *tw_tls_context_new(int is_server, int minimum, int maximum) {
  SSL_CTX *context = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());
  if (!context) return NULL;
  SSL_CTX_set_min_proto_version(context, minimum);
  SSL_CTX_set_max_proto_version(context, maximum);
  SSL_CTX_set_options(
      context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_PRIORITIZE_CHACHA);
  SSL_CTX_set_mode(
      context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                   SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_cipher_list(context, ciphers);
  SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384");
  if (is_server) {
    // Tickets keep a session's state at the client; nothing is kept here.
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(context, (const unsigned char *)"triwire", 7);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
  } else {
    SSL_CTX_set_session_cache_mode(
        context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, keep_session);
    SSL_CTX_set_alpn_protos(context, protocols, sizeof protocols - 1);
  }
  return context;
}

void tw_tls_context_free(tw_tls_context *context) { SSL_CTX_free(context); }

// A key with a passphrase is refused: nobody is there to be asked.
static int no_passphrase(char *out, int capacity, int writes, void *unused) {
  (void)out, (void)capacity, (void)writes, (void)unused;
  return -1;
}

/// Whether reading ended because there was no further certificate.
static int ended_well(int count) {
  unsigned long error = ERR_peek_last_error();
  int at_end = ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  if (!at_end || count == 0) return 0;
  ERR_clear_error();
  return 1;
}

int tw_tls_use_chain(tw_tls_context *context, const uint8_t *pem, size_t count) {
  ERR_clear_error();
  BIO *bio = BIO_new_mem_buf(pem, (int)count);
  int read = 0, well = 1;
  X509 *each;
  while (well && (each = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) {
    well = read++ == 0 ? SSL_CTX_use_certificate(context, each) == 1
                       : SSL_CTX_add1_chain_cert(context, each) == 1;
    X509_free(each);
  }
  BIO_free(bio);
  return well && ended_well(read);
}

int tw_tls_use_key(tw_tls_context *context, const uint8_t *pem, size_t count) {
  ERR_clear_error();
  BIO *bio = BIO_new_mem_buf(pem, (int)count);
  EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL);
  BIO_free(bio);
  if (!key) return 0;
  int well = SSL_CTX_use_PrivateKey(context, key) == 1 && SSL_CTX_check_private_key(context) == 1;
  EVP_PKEY_free(key);
  return well;
}

int tw_tls_trust(tw_tls_context *context, const uint8_t *pem, size_t count) {
  ERR_clear_error();
  BIO *bio = BIO_new_mem_buf(pem, (int)count);
  int read = 0, well = 1;
  X509 *each;
  while (well && (each = PEM_read_bio_X509(bio, NULL, no_passphrase, NULL))) {
    read++;
    well = X509_STORE_add_cert(SSL_CTX_get_cert_store(context), each) == 1 &&
           SSL_CTX_add_client_CA(context, each) == 1;
    X509_free(each);
  }
  BIO_free(bio);
  return well && ended_well(read);
}

int tw_tls_trust_system(tw_tls_context *context) {
  ERR_clear_error();
  return SSL_CTX_set_default_verify_paths(context) == 1;
}

void tw_tls_verify(tw_tls_context *context, int mode) {
  int flags = SSL_VERIFY_NONE;
  if (mode >= 1) flags |= SSL_VERIFY_PEER;
  if (mode >= 2) flags |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  SSL_CTX_set_verify(context, flags, NULL);
}

int tw_tls_tickets(tw_tls_context *context, int count) {
  if (count == 0) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  return SSL_CTX_set_num_tickets(context, (size_t)count) == 1;
}

void tw_tls_last_error(char *out, size_t capacity) {
  unsigned long error = ERR_get_error();
  const char *reason = ERR_reason_error_string(error);
  snprintf(out, capacity, "%s", reason ? reason : "unknown error");
  ERR_clear_error();
}

// The BIO over shared buffers ---------------------------------------------------------------

static int bio_read(BIO *bio, char *out, size_t capacity, size_t *count) {
  tw_tls *tls = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  if (tls->input_count == 0) {
    BIO_set_retry_read(bio);
    return 0;
  }
  *count = capacity < tls->input_count ? capacity : tls->input_count;
  memcpy(out, tls->input, *count);
  tls->input += *count;
  tls->input_count -= *count;
  return 1;
}

static int bio_write(BIO *bio, const char *bytes, size_t size, size_t *count) {
  tw_tls *tls = BIO_get_data(bio);
  BIO_clear_retry_flags(bio);
  size_t left = tls->room_capacity - tls->room_count;
  if (left == 0) {
    BIO_set_retry_write(bio);
    return 0;
  }
  *count = size < left ? size : left;
  memcpy(tls->room + tls->room_count, bytes, *count);
  tls->room_count += *count;
  return 1;
}

static long bio_control(BIO *bio, int command, long number, void *pointer) {
  (void)bio, (void)number, (void)pointer;
  return command == BIO_CTRL_FLUSH;
}

// Made once, before `main`, so that no thread has to wait for another.
static BIO_METHOD *method;

__attribute__((constructor)) static void make_method(void) {
  method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "shared buffers");
  BIO_meth_set_read_ex(method, bio_read);
  BIO_meth_set_write_ex(method, bio_write);
  BIO_meth_set_ctrl(method, bio_control);
}

// Connections -------------------------------------------------------------------------------

static int aim(SSL *ssl, const char *host, int verifies) {
  unsigned char address[16];
  // RFC 6066 §3: an address is no server name.
  int is_address = inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
  if (!is_address && !SSL_set_tlsext_host_name(ssl, host)) return 0;
  if (!verifies) return 1;
  if (is_address) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
  SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return SSL_set1_host(ssl, host);
}

tw_tls *tw_tls_new(
    tw_tls_context *context, int is_server, const char *host, int verifies,
    tw_tls_session *resume) {
  ERR_clear_error();
  tw_tls *tls = OPENSSL_zalloc(sizeof *tls);
  SSL *ssl = SSL_new(context);
  BIO *bio = BIO_new(method);
  if (!tls || !ssl || !bio) goto failed;
  BIO_set_data(bio, tls);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl, bio, bio);
  bio = NULL;
  SSL_set_app_data(ssl, tls);
  if (is_server)
    SSL_set_accept_state(ssl);
  else
    SSL_set_connect_state(ssl);
  if (host && !aim(ssl, host, verifies)) goto failed;
  if (resume) SSL_set_session(ssl, resume);
  tls->ssl = ssl;
  return tls;
failed:
  BIO_free(bio);
  SSL_free(ssl);
  OPENSSL_free(tls);
  return NULL;
}

void tw_tls_free(tw_tls *tls) {
  if (!tls) return;
  SSL_free(tls->ssl);
  SSL_SESSION_free(tls->fresh);
  OPENSSL_free(tls);
}

void tw_tls_give(tw_tls *tls, const uint8_t *bytes, size_t count) {
  tls->input = bytes;
  tls->input_count = count;
}

size_t tw_tls_room(tw_tls *tls, uint8_t *room, size_t capacity) {
  size_t produced = tls->room_count;
  tls->room = room;
  tls->room_count = 0;
  tls->room_capacity = capacity;
  return produced;
}

static ssize_t outcome(tw_tls *tls, int status) {
  switch (SSL_get_error(tls->ssl, status)) {
    case SSL_ERROR_WANT_READ: return TW_TLS_WANTS_INPUT;
    case SSL_ERROR_WANT_WRITE: return TW_TLS_WANTS_ROOM;
    case SSL_ERROR_ZERO_RETURN: return TW_TLS_PEER_ENDED;
    default: return TW_TLS_FAILED;
  }
}

ssize_t tw_tls_handshake(tw_tls *tls) {
  ERR_clear_error();
  int status = SSL_do_handshake(tls->ssl);
  return status == 1 ? 1 : outcome(tls, status);
}

ssize_t tw_tls_read(tw_tls *tls, uint8_t *out, size_t capacity) {
  size_t count = 0;
  ERR_clear_error();
  int status = SSL_read_ex(tls->ssl, out, capacity, &count);
  return status == 1 ? (ssize_t)count : outcome(tls, status);
}

ssize_t tw_tls_write(tw_tls *tls, const uint8_t *bytes, size_t size) {
  size_t count = 0;
  ERR_clear_error();
  int status = SSL_write_ex(tls->ssl, bytes, size, &count);
  return status == 1 ? (ssize_t)count : outcome(tls, status);
}

void tw_tls_end(tw_tls *tls) {
  ERR_clear_error();
  if (SSL_is_init_finished(tls->ssl)) SSL_shutdown(tls->ssl);
}

int tw_tls_is_open(tw_tls *tls) { return SSL_is_init_finished(tls->ssl); }
int tw_tls_was_resumed(tw_tls *tls) { return SSL_session_reused(tls->ssl); }
int tw_tls_version(tw_tls *tls) { return SSL_version(tls->ssl); }

int tw_tls_peer_subject(tw_tls *tls, char *out, size_t capacity) {
  X509 *certificate = SSL_get0_peer_certificate(tls->ssl);
  if (!certificate) return 0;
  BIO *bio = BIO_new(BIO_s_mem());
  X509_NAME_print_ex(bio, X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
  int count = BIO_read(bio, out, (int)capacity - 1);
  BIO_free(bio);
  out[count < 0 ? 0 : count] = 0;
  return 1;
}

tw_tls_session *tw_tls_take_session(tw_tls *tls) {
  SSL_SESSION *session = tls->fresh;
  tls->fresh = NULL;
  return session;
}

void tw_tls_session_free(tw_tls_session *session) { SSL_SESSION_free(session); }
void tw_tls_session_retain(tw_tls_session *session) { SSL_SESSION_up_ref(session); }

// Failures ----------------------------------------------------------------------------------

void tw_tls_read_failure(tw_tls *tls, tw_tls_failure *out) {
  unsigned long error = ERR_peek_error();
  out->reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
  out->verification = SSL_get_verify_result(tls->ssl);
  const char *text = ERR_reason_error_string(error);
  if (out->verification != X509_V_OK && out->reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
    text = X509_verify_cert_error_string(out->verification);
  snprintf(out->text, sizeof out->text, "%s", text ? text : "the connection broke");
  ERR_clear_error();
}

static tw_tls_kind verification_kind(long result) {
  switch (result) {
    case X509_V_ERR_CERT_HAS_EXPIRED: return TW_TLS_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID: return TW_TLS_NOT_YET_VALID;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return TW_TLS_SELF_SIGNED;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE: return TW_TLS_UNKNOWN_AUTHORITY;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH: return TW_TLS_WRONG_HOST;
    default: return TW_TLS_BAD_CERTIFICATE;
  }
}

tw_tls_kind tw_tls_failure_kind(const tw_tls_failure *failure) {
  switch (failure->reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED: return verification_kind(failure->verification);
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST: return TW_TLS_PLAIN_HTTP;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_BAD_RECORD_TYPE: return TW_TLS_NOT_TLS;
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION: return TW_TLS_VERSION;
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_NO_SUITABLE_KEY_SHARE:
    case SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY: return TW_TLS_CIPHER;
    case SSL_R_NO_APPLICATION_PROTOCOL:
    case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL: return TW_TLS_PROTOCOL;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED: return TW_TLS_NO_CERTIFICATE;
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED: return TW_TLS_EXPIRED;
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA: return TW_TLS_UNKNOWN_AUTHORITY;
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN: return TW_TLS_BAD_CERTIFICATE;
    default: return TW_TLS_OTHER;
  }
}
