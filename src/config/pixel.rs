//! The settings of `pixel`.

use super::settings::{PIXEL_PATH, PORT};
use super::{Problems, RawSettings};
use crate::decode::PixelPaths;

/// The settings, all of them valid.
#[derive(Debug, Clone)]
pub struct PixelConfig {
    pub port: u16,
    pub paths: PixelPaths,
}

impl RawSettings {
    /// The settings of `pixel`, checked.
    pub fn load_pixel(&self) -> Result<PixelConfig, Problems> {
        let mut problems = Problems::default();
        let values = self.check(&mut problems);
        let paths = problems.check(PIXEL_PATH.name, PixelPaths::parse(values.text(&PIXEL_PATH)));
        problems.or(paths.map(|paths| PixelConfig { port: values.number(&PORT), paths }))
    }
}
