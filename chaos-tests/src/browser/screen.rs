//! How large the page is drawn, for which taste, and pictures of it.

use std::path::Path;

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::Browser;

/// A screen, in the pixels of CSS.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    pub name: &'static str,
    pub width: u32,
    pub height: u32,
    /// Pixels of the device for one of CSS.
    pub scale: f64,
    /// Drawn and touched as on a phone.
    pub is_phone: bool,
}

impl Size {
    pub const DESKTOP: Size = Size { name: "desktop", width: 1440, height: 900, scale: 1.0, is_phone: false };
    pub const PHONE: Size = Size { name: "phone", width: 390, height: 844, scale: 2.0, is_phone: true };
    pub const ALL: [Size; 2] = [Size::DESKTOP, Size::PHONE];
}

/// What the system says of its reader's taste.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Theme; 2] = [Theme::Light, Theme::Dark];

    pub fn name(self) -> &'static str {
        match self {
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }
}

impl Browser {
    pub async fn set_size(&self, size: Size) -> Result<()> {
        let metrics = json!({ "width": size.width, "height": size.height, "deviceScaleFactor": size.scale,
            "mobile": size.is_phone });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics).await?;
        let touch = json!({ "enabled": size.is_phone, "maxTouchPoints": 1 });
        self.devtools("Emulation.setTouchEmulationEnabled", &touch).await.map(drop)
    }

    /// What the page hears of colours; movement is always said to be unwanted, so that nothing is still under way when it is
    /// looked at.
    pub async fn set_theme(&self, theme: Theme) -> Result<()> {
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": theme.name() },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        self.devtools("Emulation.setEmulatedMedia", &features).await.map(drop)
    }

    /// As if the machine were so many times as slow; 1 is as fast as it is.
    pub async fn slow_down(&self, times: u32) -> Result<()> {
        self.devtools("Emulation.setCPUThrottlingRate", &json!({ "rate": times })).await.map(drop)
    }

    /// Writes a picture of the page as PNG.
    pub async fn screenshot(&self, path: &Path) -> Result<()> {
        let picture = self.picture(&json!({ "format": "png" })).await?;
        std::fs::write(path, picture).with_context(|| path.display().to_string())
    }

    /// The page as it is drawn now, as WebP of this quality (0 to 100).
    pub async fn webp(&self, quality: u8) -> Result<Vec<u8>> {
        self.picture(&json!({ "format": "webp", "quality": quality })).await
    }

    async fn picture(&self, format: &serde_json::Value) -> Result<Vec<u8>> {
        let captured = self.devtools("Page.captureScreenshot", format).await?;
        let data = captured.get("data").and_then(serde_json::Value::as_str).context("no picture")?;
        Ok(STANDARD.decode(data)?)
    }
}
