use std::io::{self, Write};

use clap::Args;
use planet_net::{Architecture, Network, NetworkOptions, OutputName};

use crate::failure::Failure;

/// `planet model show ARCHITECTURE [--classes N] [--size PX] [--auxiliary]`
#[derive(Args, Debug)]
pub struct Arguments {
    /// inception-v3, inception-bn, inception-mini or mobilenet-v3-large
    architecture: String,
    /// Classes of the partition; the paper has 26,263
    #[arg(long, value_name = "N", default_value_t = 26_263)]
    classes: usize,
    /// Side of the photos in pixels; by default the architecture's own
    #[arg(long, value_name = "PX")]
    size: Option<usize>,
    /// With the auxiliary classifier that training uses
    #[arg(long)]
    auxiliary: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let architecture: Architecture = arguments.architecture.parse().map_err(Failure::usage)?;
    let size = [arguments.size.unwrap_or(architecture.usual_side()); 2];
    let Arguments { classes, auxiliary, .. } = *arguments;
    let options = NetworkOptions { size, classes, auxiliary };
    let network = architecture.network(options).map_err(Failure::usage)?;
    table(&network, &mut io::stdout().lock())?;
    Ok(())
}

fn table(network: &Network, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "{:<16} {:<20} {:>16} {:>13} {:>14}",
        "part", "what", "shape", "parameters", "multiply-adds"
    )?;
    for part in network.parts() {
        let (parameters, work) = (part.count.parameters, part.count.multiply_adds);
        writeln!(
            out,
            "{:<16} {:<20} {:>16} {:>13} {:>14}",
            part.name,
            part.what,
            part.shape.to_string(),
            grouped(parameters),
            grouped(work)
        )?;
    }
    let count = network.count();
    writeln!(out)?;
    writeln!(out, "parameters     {:>14}", grouped(count.parameters))?;
    writeln!(out, "multiply-adds  {:>14}  a photo", grouped(count.multiply_adds))?;
    writeln!(out, "as f32         {:>14.1}  MB", 4.0 * count.parameters as f64 / 1e6)?;
    writeln!(out, "embedding      {:>14}", network.features())?;
    writeln!(out, "classes        {:>14}", grouped(network.classes() as u64))?;
    if network.output(OutputName::Auxiliary).is_some() {
        let slim = network.inference().count();
        writeln!(out, "for inference  {:>14}  parameters", grouped(slim.parameters))?;
    }
    Ok(())
}

/// `75598455` as `75,598,455`; nothing for 0.
fn grouped(number: u64) -> String {
    let digits = if number == 0 { String::new() } else { number.to_string() };
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
