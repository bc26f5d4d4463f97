use clap::Args;
use planet::ModelPackage;
use planet_data::Manifest;

use crate::failure::Failure;

/// Whether a model may be evaluated on photos that it was validated on.
#[derive(Args, Debug)]
pub struct ValidationPhotos {
    /// Evaluate also on photos that the model was validated on: its checkpoint was chosen by them, so that the
    /// figures are too good
    #[arg(long)]
    allow_validation_photos: bool,
}

impl ValidationPhotos {
    /// Refuses photos that the model was validated on, unless they are allowed.
    pub fn check(&self, package: &ModelPackage, manifest: &Manifest) -> Result<(), Failure> {
        if self.allow_validation_photos {
            return Ok(());
        }
        let sketch = &package.description().provenance.validation_sketch;
        match sketch.shared_with(&manifest.records) {
            0 => Ok(()),
            shared => Err(Failure::new(format!(
                "{shared} of {} sampled photos that the model was validated on are among these photos; its \
                 checkpoint and temperature were chosen by them",
                sketch.len()
            ))
            .hint("evaluate on other photos, or pass --allow-validation-photos")),
        }
    }
}
