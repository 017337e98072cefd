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

/// Writes easy-rsa's `index.txt` with these certificates (`FILE`, common name), in one step as easy-rsa does.
pub(crate) fn index_of(folder: &Path, certificates: &[(&str, &str)]) {
    let escaped = |name: &str| -> String {
        let escape = |byte: u8| match byte {
            b' '..=b'~' => char::from(byte).to_string(),
            _ => format!("\\x{byte:02X}"),
        };
        name.bytes().map(escape).collect()
    };
    let line = |(file, name): &(&str, &str)| {
        let serial = serial(folder, file).to_uppercase();
        format!("V\t490223215901Z\t\t{serial}\tunknown\t/CN={}\n", escaped(name))
    };
    let draft = folder.join("index.txt.new");
    fs::write(&draft, certificates.iter().map(line).collect::<String>()).unwrap();
    fs::rename(draft, folder.join("index.txt")).unwrap();
}

/// The serial number of `FILE.crt`, as the product writes it.
pub(crate) fn serial(folder: &Path, file: &str) -> String {
    let printed = openssl(folder, &["x509", "-noout", "-serial", "-in", &format!("{file}.crt")]);
    let (_, serial) = printed.trim().split_once('=').expect("serial=HEX");
    serial.trim_start_matches('0').to_lowercase()
}

/// Makes `crl.pem`, the authority's list, with these certificates on it.
pub(crate) fn revoke(folder: &Path, files: &[&str]) {
    let config = "[ca]\ndefault_ca=lab\n[lab]\ndatabase=revoked.txt\ndefault_md=sha256\ndefault_crl_days=2\ncrl_extensions=list\n\
                  [list]\nauthorityKeyIdentifier=keyid\n";
    fs::write(folder.join("revoke.cnf"), config).unwrap();
    fs::write(folder.join("revoked.txt"), "").unwrap();
    let authority = ["ca", "-config", "revoke.cnf", "-keyfile", "ca.key", "-cert", "ca.crt"];
    for file in files {
        openssl(folder, &[&authority[..], &["-revoke", &format!("{file}.crt")]].concat());
    }
    openssl(folder, &[&authority[..], &["-gencrl", "-out", "crl.new"]].concat());
    fs::rename(folder.join("crl.new"), folder.join("crl.pem")).unwrap();
}

fn openssl(folder: &Path, arguments: &[&str]) -> String {
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
    String::from_utf8(output.stdout).unwrap()
}
