"""Scans a server with sslyze and prints one line per check; exits with 1 when one fails."""

import sys

from sslyze import (
    Scanner,
    ScanCommand,
    ServerNetworkLocation,
    ServerScanRequest,
)

OLD = ["ssl_2_0", "ssl_3_0", "tls_1_0", "tls_1_1"]
CURVES = {"X25519", "prime256v1", "secp256r1", "secp384r1"}
COMMANDS = {
    ScanCommand.SSL_2_0_CIPHER_SUITES,
    ScanCommand.SSL_3_0_CIPHER_SUITES,
    ScanCommand.TLS_1_0_CIPHER_SUITES,
    ScanCommand.TLS_1_1_CIPHER_SUITES,
    ScanCommand.TLS_1_2_CIPHER_SUITES,
    ScanCommand.TLS_1_3_CIPHER_SUITES,
    ScanCommand.TLS_1_3_EARLY_DATA,
    ScanCommand.TLS_COMPRESSION,
    ScanCommand.TLS_FALLBACK_SCSV,
    ScanCommand.SESSION_RENEGOTIATION,
    ScanCommand.SESSION_RESUMPTION,
    ScanCommand.HEARTBLEED,
    ScanCommand.ROBOT,
    ScanCommand.OPENSSL_CCS_INJECTION,
    ScanCommand.ELLIPTIC_CURVES,
}

failed = False


def check(name, holds, found=""):
    global failed
    failed = failed or not holds
    print(f"ok      sslyze: {name}" if holds else f"FAILED  sslyze: {name}: {found}")


def ciphers(result, version):
    attempt = getattr(result, f"{version}_cipher_suites")
    return [each.cipher_suite.name for each in attempt.result.accepted_cipher_suites]


def main(host, port):
    scanner = Scanner()
    location = ServerNetworkLocation(hostname="localhost", ip_address=host, port=port)
    scanner.queue_scans([ServerScanRequest(server_location=location, scan_commands=COMMANDS)])
    [outcome] = scanner.get_results()
    result = outcome.scan_result
    if result is None:
        print(f"FAILED  sslyze: cannot connect: {outcome.connectivity_error_trace}")
        return 1
    for version in OLD:
        accepted = ciphers(result, version)
        check(f"{version} is refused", not accepted, accepted)
    modern = ciphers(result, "tls_1_2")
    weak = [name for name in modern if "ECDHE" not in name or "CBC" in name]
    check("TLS 1.2 has only ECDHE with AEAD ciphers", modern and not weak, weak or "none at all")
    newest = ciphers(result, "tls_1_3")
    check("TLS 1.3 is spoken", bool(newest), newest)
    curves = {each.name for each in result.elliptic_curves.result.supported_curves}
    check("no curve but X25519, P-256 and P-384", curves and curves <= CURVES, curves)
    renegotiation = result.session_renegotiation.result
    check("secure renegotiation is announced", renegotiation.supports_secure_renegotiation)
    check(
        "a client cannot make the server renegotiate",
        not renegotiation.is_vulnerable_to_client_renegotiation_dos,
    )
    check("no compression", not result.tls_compression.result.supports_compression)
    check("no early data", not result.tls_1_3_early_data.result.supports_early_data)
    check("downgrades are noticed", result.tls_fallback_scsv.result.supports_fallback_scsv)
    check("Heartbleed", not result.heartbleed.result.is_vulnerable_to_heartbleed)
    injection = result.openssl_ccs_injection.result
    check("CCS injection", not injection.is_vulnerable_to_ccs_injection)
    robot = result.robot.result.robot_result.name
    check("ROBOT", robot.startswith("NOT_VULNERABLE"), robot)
    return 1 if failed else 0


sys.exit(main(sys.argv[1], int(sys.argv[2])))
