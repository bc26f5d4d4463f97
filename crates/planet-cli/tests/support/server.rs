//! A running `planet serve`, and the folders that it is tested with.
#![allow(dead_code, reason = "each test uses its part")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command as Process, Stdio},
};

use serde_json::Value;

use crate::foreign::planet;
pub use crate::foreign::prepare;

/// A running server, which is killed at the end.
pub struct Server {
    pub child: Child,
    pub address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Status, head and body of an answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> Value {
        let text = String::from_utf8_lossy(&self.body);
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

impl Server {
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::run(Process::new(env!("CARGO_BIN_EXE_planet")), folder, arguments)
    }

    /// One that can write so many blocks of 512 bytes into a file, as on a full disk.
    #[cfg(unix)]
    pub fn start_with_room(folder: &Path, blocks: u32, arguments: &[&str]) -> Self {
        let mut shell = Process::new("sh");
        // Without the signal the system's word is an error.
        let limited = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
        shell.args(["-c", &limited]);
        shell.arg(env!("CARGO_BIN_EXE_planet"));
        Self::run(shell, folder, arguments)
    }

    fn run(mut process: Process, folder: &Path, arguments: &[&str]) -> Self {
        let mut child = process
            .current_dir(folder)
            .args(["serve", "--model", "model", "--engine", "rten", "--port", "0"])
            .args(arguments)
            .stderr(Stdio::piped())
            .spawn()
            .expect("started");
        let mut lines = BufReader::new(child.stderr.take().expect("it is piped")).lines();
        let line = lines
            .by_ref()
            .map(|line| line.expect("text"))
            .find(|line| line.contains("http://"))
            .expect("it says where it is");
        std::thread::spawn(move || lines.for_each(drop));
        let address = line.split("http://").nth(1).expect("an address");
        let address = address.split('/').next().expect("an address").to_owned();
        Self { child, address }
    }

    pub fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).expect("it listens")
    }

    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.connect();
        let host = headers.iter().all(|(name, _)| *name != "Host");
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if host {
            head.push_str(&format!("Host: {}\r\n", self.address));
        }
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
        stream.write_all(head.as_bytes()).expect("sent");
        // A server that refuses may close before it has read everything.
        let _ = stream.write_all(body);
        read(stream)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        let kind = [("Content-Type", "application/json")];
        self.send("POST", path, &kind, body.to_string().as_bytes())
    }
}

pub fn read(mut stream: TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let _ = stream.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|it| it == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let status = head.split(' ').nth(1).and_then(|it| it.parse().ok()).expect("a status");
    let mut body = bytes[end + 4..].to_vec();
    if head.to_ascii_lowercase().contains("transfer-encoding: chunked") {
        body = unchunked(&body);
    }
    Answer { status, head, body }
}

pub fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    while let Some(end) = bytes.windows(2).position(|it| it == b"\r\n") {
        let length = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let length = usize::from_str_radix(length.trim(), 16).expect("a length");
        let chunk = &bytes[end + 2..];
        if length == 0 || chunk.len() < length + 2 {
            break;
        }
        body.extend_from_slice(&chunk[..length]);
        bytes = &chunk[length + 2..];
    }
    body
}

/// A form with these photos, and its content type.
pub fn form(photos: &[(&str, &[u8])]) -> (String, Vec<u8>) {
    let mut body = Vec::new();
    for (name, bytes) in photos {
        let head = format!(
            "--edge\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"{name}\"\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--edge--\r\n");
    ("multipart/form-data; boundary=edge".to_owned(), body)
}

/// Ids of the synthetic photos and their bytes.
pub fn photos(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let listed = planet(folder).args(["dataset", "scan", "photos", "-o", "-"]).assert().success();
    let table = String::from_utf8_lossy(&listed.get_output().stdout).into_owned();
    let rows = table.lines().filter(|line| !line.starts_with('#')).skip(1);
    let ids = rows.map(|row| row.split(',').next().expect("an id").to_owned());
    let read = |id: String| {
        let bytes = fs::read(folder.join("photos").join(&id)).ok()?;
        Some((id, bytes))
    };
    ids.filter_map(read).collect()
}

/// Photos in the folder `photos`, half of them with a position in a sidecar, at times that are a
/// minute apart.
pub fn prepare_library(number: &str) -> tempfile::TempDir {
    let folder = prepare(number);
    // The same photos without positions.
    let library = folder.path().join("photos");
    fs::remove_dir_all(&library).expect("removed");
    planet(folder.path())
        .args(["world", "draw", "--photos", number, "--size", "64", "--withhold", "1"])
        .args(["-o", "photos"])
        .assert()
        .success();
    for (at, (id, _)) in photos(folder.path()).iter().enumerate() {
        if at % 2 == 0 {
            let xmp = "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF \
                 xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><rdf:Description \
                 xmlns:exif=\"http://ns.adobe.com/exif/1.0/\" exif:GPSLatitude=\"41,54.0N\" \
                 exif:GPSLongitude=\"12,30.0E\"/></rdf:RDF></x:xmpmeta>";
            fs::write(library.join(format!("{id}.xmp")), xmp).expect("written");
        }
    }
    folder
}

/// The library under review, once it is located.
pub fn library_of(server: &Server) -> Value {
    let mut answer = Value::Null;
    for _ in 0..600 {
        answer = server.get("/api/library").json();
        if answer["state"] != "working" {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    assert_eq!(answer["state"], "ready", "{answer}");
    answer
}
