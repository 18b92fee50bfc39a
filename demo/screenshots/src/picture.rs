//! Writes the page in a browser to two small files, light and dark.

use std::fs;
use std::path::Path;

use local_browser::{Browser, ColourScheme};
use local_envoy::{Error, Result};

/// The size limit of a picture. A larger one would make the README slow to open.
const MOST_BYTES: usize = 300_000;

/// Writes the light page to `NAME.png` and the dark page to `NAME-dark.png`.
pub(crate) fn take(browser: &Browser, folder: &Path, name: &str) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| Error::new(format!("{} cannot be made: {error}", folder.display())))?;
    // Take both before the compression, which lasts seconds: the chart of the page moves on.
    let mut pictures = Vec::new();
    for (colour_scheme, ending) in [(ColourScheme::Light, ""), (ColourScheme::Dark, "-dark")] {
        browser.prefer(colour_scheme)?;
        pictures.push((browser.screenshot()?, folder.join(format!("{name}{ending}.png"))));
    }
    pictures.iter().try_for_each(|(png, file)| write(png, file))
}

fn write(png: &[u8], file: &Path) -> Result<()> {
    let name = file.display();
    let png = oxipng::optimize_from_memory(png, &oxipng::Options::from_preset(4))
        .map_err(|error| Error::new(format!("{name}: the picture cannot be compressed: {error}")))?;
    if png.len() > MOST_BYTES {
        let bytes = png.len();
        return Err(Error::new(format!(
            "{name} would have {bytes} bytes, and more than {MOST_BYTES} are too many for a README"
        )));
    }
    fs::write(file, &png).map_err(|error| Error::new(format!("{name} cannot be written: {error}")))?;
    println!("{name}: {} bytes", png.len());
    Ok(())
}
