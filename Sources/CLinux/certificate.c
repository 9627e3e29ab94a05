#define _GNU_SOURCE
#include "tls.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static int add_extension(X509 *to, X509 *issuer, int kind, const char *value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, to, NULL, NULL, 0);
  X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, kind, value);
  if (!extension) return 0;
  int well = X509_add_ext(to, extension, -1);
  X509_EXTENSION_free(extension);
  return well;
}

static int set_serial(X509 *certificate) {
  uint8_t bytes[16];
  if (RAND_bytes(bytes, sizeof bytes) != 1) return 0;
  bytes[0] = (bytes[0] & 0x7f) | 0x40;
  BIGNUM *number = BN_bin2bn(bytes, sizeof bytes, NULL);
  int well = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != NULL;
  BN_free(number);
  return well;
}

static int fill(X509 *certificate, X509 *issuer, const tw_certificate_request *request) {
  X509_NAME *subject = X509_get_subject_name(certificate);
  const char *uses = request->is_authority ? "critical,keyCertSign,cRLSign"
                                           : "critical,digitalSignature";
  return X509_set_version(certificate, 2) && set_serial(certificate) &&
         X509_gmtime_adj(X509_getm_notBefore(certificate), request->from) &&
         X509_gmtime_adj(X509_getm_notAfter(certificate), request->until) &&
         X509_NAME_add_entry_by_txt(
             subject, "CN", MBSTRING_UTF8, (const unsigned char *)request->common_name, -1, -1, 0) &&
         X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) &&
         add_extension(certificate, issuer, NID_basic_constraints,
                       request->is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
         add_extension(certificate, issuer, NID_key_usage, uses) &&
         add_extension(certificate, issuer, NID_subject_key_identifier, "hash") &&
         (certificate == issuer ||
          add_extension(certificate, issuer, NID_authority_key_identifier, "keyid")) &&
         (request->is_authority ||
          add_extension(certificate, issuer, NID_ext_key_usage, "serverAuth,clientAuth")) &&
         (!request->names ||
          add_extension(certificate, issuer, NID_subject_alt_name, request->names));
}

static char *text_of(BIO *bio) {
  char *data;
  long count = BIO_get_mem_data(bio, &data);
  return strndup(data, (size_t)count);
}

static int print(X509 *certificate, EVP_PKEY *key, char **certificate_out, char **key_out) {
  BIO *first = BIO_new(BIO_s_mem()), *second = BIO_new(BIO_s_mem());
  int well = PEM_write_bio_X509(first, certificate) &&
             PEM_write_bio_PrivateKey(second, key, NULL, NULL, 0, NULL, NULL);
  if (well) {
    *certificate_out = text_of(first);
    *key_out = text_of(second);
  }
  BIO_free(first);
  BIO_free(second);
  return well;
}

int tw_certificate_make(const tw_certificate_request *request, char **certificate_out, char **key_out) {
  ERR_clear_error();
  X509 *certificate = X509_new(), *issuer = NULL;
  EVP_PKEY *key = EVP_EC_gen("P-256"), *signer = NULL;
  if (request->issuer_certificate) {
    BIO *bio = BIO_new_mem_buf(request->issuer_certificate, -1);
    issuer = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIO_free(bio);
    bio = BIO_new_mem_buf(request->issuer_key, -1);
    signer = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    BIO_free(bio);
  } else if (certificate && key) {
    X509_up_ref(issuer = certificate);
    EVP_PKEY_up_ref(signer = key);
  }
  int well = certificate && key && issuer && signer && X509_set_pubkey(certificate, key) &&
             fill(certificate, issuer, request) && X509_sign(certificate, signer, EVP_sha256()) &&
             print(certificate, key, certificate_out, key_out);
  X509_free(certificate);
  X509_free(issuer);
  EVP_PKEY_free(key);
  EVP_PKEY_free(signer);
  return well;
}

int tw_certificate_fingerprint(const uint8_t *pem, size_t count, uint8_t out[32]) {
  BIO *bio = BIO_new_mem_buf(pem, (int)count);
  X509 *certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL);
  BIO_free(bio);
  if (!certificate) return 0;
  unsigned int length = 32;
  int well = X509_digest(certificate, EVP_sha256(), out, &length);
  X509_free(certificate);
  return well;
}
