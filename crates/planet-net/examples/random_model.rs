//! Writes an architecture with random weights as ONNX: for benchmarks and for checks by other
//! tools, where what the network says does not matter.
//!
//! Usage: `random_model ARCHITECTURE CLASSES FOLDER`

use std::{error::Error, fs::File, io::BufWriter, path::Path};

use planet_net::{Architecture, OnnxInfo, Weights};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [architecture, classes, folder] = &arguments[..] else {
        return Err("usage: random_model ARCHITECTURE CLASSES FOLDER".into());
    };
    let architecture: Architecture = architecture.parse()?;
    let network = architecture.usual(classes.parse()?)?;
    let weights = Weights::initial(&network, 0);
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder)?;
    let create = |name: &str| File::create(folder.join(name)).map(BufWriter::new);
    let info = OnnxInfo {
        data_name: "model.onnx.data".into(),
        description: format!("{architecture} with random weights"),
        metadata: vec![("architecture".into(), architecture.to_string())],
    };
    network.write_onnx(&weights, &info, create("model.onnx")?, create("model.onnx.data")?)?;
    Ok(())
}
