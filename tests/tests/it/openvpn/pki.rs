//! Certificates for one test, from the openssl command.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Makes a CA and the server's certificate in `folder`.
pub(crate) fn found(folder: &Path) {
    let ca = [
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=Lab CA",
    ];
    openssl(folder, &[&ca[..], &["-keyout", "ca.key", "-out", "ca.crt"]].concat());
    fs::write(
        folder.join("server.ext"),
        "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=serverAuth\n",
    )
    .unwrap();
    fs::write(
        folder.join("client.ext"),
        "basicConstraints=CA:FALSE\nkeyUsage=digitalSignature\nextendedKeyUsage=clientAuth\n",
    )
    .unwrap();
    issue(folder, "server", "vpn-server", "server.ext");
}

/// Makes a client's certificate: `FILE.crt` and `FILE.key`.
pub(crate) fn issue_client(folder: &Path, file: &str, common_name: &str) {
    issue(folder, file, common_name, "client.ext");
}

/// Makes the certificate of a web server for `subject`, such as `IP:127.0.0.1` or `DNS:example.com`.
pub(crate) fn issue_web(folder: &Path, file: &str, subject: &str) {
    let extensions = format!("basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName={subject}\n");
    fs::write(folder.join("web.ext"), extensions).unwrap();
    issue(folder, file, "web", "web.ext");
}

fn issue(folder: &Path, file: &str, common_name: &str, extensions: &str) {
    let (key, request, certificate) = (format!("{file}.key"), format!("{file}.csr"), format!("{file}.crt"));
    let subject = format!("/CN={}", common_name.replace('/', "\\/"));
    let new = [
        "req",
        "-utf8",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-subj",
        &subject,
    ];
    openssl(folder, &[&new[..], &["-keyout", &key, "-out", &request]].concat());
    let sign = [
        "x509",
        "-req",
        "-in",
        &request,
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-days",
        "2",
    ];
    openssl(
        folder,
        &[&sign[..], &["-extfile", extensions, "-out", &certificate]].concat(),
    );
}

fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new("openssl")
        .current_dir(folder)
        .args(arguments)
        .output()
        .expect("openssl is installed");
    assert!(
        output.status.success(),
        "openssl {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
