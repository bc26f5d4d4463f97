use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    sync::Mutex,
};

/// Class probabilities of many photos, on the disk: with 26,000 classes they are 100 kB a photo.
#[derive(Debug)]
pub struct Spool {
    file: Mutex<File>,
    classes: usize,
    /// Row in the file of each photo; `None` for one that has none.
    rows: Vec<Option<u64>>,
    written: u64,
}

impl Spool {
    /// For so many photos and classes; the file has no name and is gone with the process.
    pub fn new(photos: usize, classes: usize) -> io::Result<Self> {
        let file = Mutex::new(tempfile::tempfile()?);
        Ok(Self { file, classes, rows: vec![None; photos], written: 0 })
    }

    /// Keeps one photo's, `[classes]`.
    pub fn put(&mut self, photo: usize, probabilities: &[f32]) -> io::Result<()> {
        let bytes: Vec<u8> = probabilities.iter().flat_map(|it| it.to_le_bytes()).collect();
        self.file.get_mut().expect("nobody panicked with it").write_all(&bytes)?;
        self.rows[photo] = Some(self.written);
        self.written += 1;
        Ok(())
    }

    /// One photo's, `[classes]`.
    pub fn get(&self, photo: usize) -> Option<Vec<f32>> {
        let row = self.rows[photo]?;
        let mut bytes = vec![0; 4 * self.classes];
        let mut file = self.file.lock().ok()?;
        file.seek(SeekFrom::Start(row * bytes.len() as u64)).ok()?;
        file.read_exact(&mut bytes).ok()?;
        Some(bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect())
    }
}
