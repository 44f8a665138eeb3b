//! What a hand does that is more than a click: drag, hover, click with a key held, press keys (W3C actions).

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::keys::{ALT, chord};
use super::{Browser, Locator};

/// A drag in one leap is none to pages that follow the pointer.
const DRAG_STEPS: u32 = 8;
const STEP_MS: u32 = 20;

/// A place in an element, as shares of its width and height: (0.5, 0.5) is its middle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point(pub f64, pub f64);

impl Point {
    pub const MIDDLE: Point = Point(0.5, 0.5);
}

impl Browser {
    /// Rests the pointer on the middle of an element.
    pub async fn hover(&self, locator: impl Into<Locator>) -> Result<()> {
        self.hover_at(locator, Point::MIDDLE).await
    }

    /// Rests the pointer on a point of an element.
    pub async fn hover_at(&self, locator: impl Into<Locator>, point: Point) -> Result<()> {
        let (x, y) = self.place(&locator.into(), point).await?;
        self.perform(json!([mouse(vec![glide(x, y)])])).await
    }

    /// Clicks on a point of an element.
    pub async fn click_at(&self, locator: impl Into<Locator>, point: Point) -> Result<()> {
        let (x, y) = self.place(&locator.into(), point).await?;
        self.perform(json!([mouse(vec![glide(x, y), down(), up()])])).await
    }

    /// Clicks with the Alt key held.
    pub async fn alt_click(&self, locator: impl Into<Locator>) -> Result<()> {
        let (x, y) = self.place(&locator.into(), Point::MIDDLE).await?;
        // Each row is a moment in which both do one thing.
        let hand = vec![glide(x, y), rest(), down(), up(), rest()];
        let keys = vec![rest(), press(ALT), rest(), rest(), release(ALT)];
        self.perform(json!([mouse(hand), keyboard(keys)])).await
    }

    /// Drags with the mouse button held, from a point of an element to another.
    pub async fn drag(&self, locator: impl Into<Locator>, from: Point, to: Point) -> Result<()> {
        let locator = locator.into();
        let (start, end) = (self.place(&locator, from).await?, self.place(&locator, to).await?);
        let mut hand = vec![glide(start.0, start.1), down()];
        hand.extend((1..=DRAG_STEPS).map(|step| {
            let share = f64::from(step) / f64::from(DRAG_STEPS);
            glide(start.0 + (end.0 - start.0) * share, start.1 + (end.1 - start.1) * share)
        }));
        hand.push(up());
        self.perform(json!([mouse(hand)])).await
    }

    /// Takes what may be dragged from a point of an element and lets it go over another. The driver knows no such drag: the browser
    /// is told to leave it to us from where it has begun.
    pub async fn drag_and_drop(&self, locator: impl Into<Locator>, from: Point, to: Point) -> Result<()> {
        let locator = locator.into();
        let (start, end) = (self.place(&locator, from).await?, self.place(&locator, to).await?);
        self.devtools("Input.setInterceptDrags", &json!({ "enabled": true })).await?;
        let away = (start.0 + (end.0 - start.0) / f64::from(DRAG_STEPS), start.1);
        let hand = vec![glide(start.0, start.1), down(), glide(away.0, away.1), glide(end.0, end.1)];
        self.perform(json!([mouse(hand)])).await?;
        for event in ["dragEnter", "dragOver", "drop"] {
            let data = json!({ "items": [], "dragOperationsMask": 1 });
            let event = json!({ "type": event, "x": end.0, "y": end.1, "data": data });
            self.devtools("Input.dispatchDragEvent", &event).await?;
        }
        self.perform(json!([mouse(vec![up()])])).await?;
        self.devtools("Input.setInterceptDrags", &json!({ "enabled": false })).await.map(drop)
    }

    /// Presses chords one after the other, such as `Control+k` or `g` and then `l`, wherever the focus is.
    pub async fn press(&self, chords: &[&str]) -> Result<()> {
        let mut keys = Vec::new();
        for text in chords {
            let held = chord(text)?;
            keys.extend(held.iter().map(|key| press(*key)));
            keys.extend(held.iter().rev().map(|key| release(*key)));
        }
        self.perform(json!([keyboard(keys)])).await
    }

    /// Scrolls the wheel over the middle of an element, by so many pixels downwards.
    pub async fn scroll(&self, locator: impl Into<Locator>, pixels: i32) -> Result<()> {
        let (x, y) = self.place(&locator.into(), Point::MIDDLE).await?;
        let turn = json!({ "type": "scroll", "x": x as i64, "y": y as i64, "deltaX": 0, "deltaY": pixels,
            "duration": STEP_MS, "origin": "viewport" });
        self.perform(json!([{ "type": "wheel", "id": "wheel", "actions": [turn] }])).await
    }

    /// Where a point of an element is in the window, after it was scrolled into view.
    async fn place(&self, locator: &Locator, point: Point) -> Result<(f64, f64)> {
        let element = self.find(locator).await?;
        let script = "const it = arguments[0]; it.scrollIntoView({ block: 'nearest', inline: 'nearest' }); \
                      const box = it.getBoundingClientRect(); return [box.left, box.top, box.width, box.height];";
        let reference = json!({ "element-6066-11e4-a52e-4f735466cecf": element });
        let found: [f64; 4] = serde_json::from_value(self.run(script, &[reference]).await?)
            .with_context(|| format!("{locator:?} has no place"))?;
        let [left, top, width, height] = found;
        Ok((left + width * point.0, top + height * point.1))
    }

    async fn perform(&self, sources: Value) -> Result<()> {
        self.driver.post("/actions", &json!({ "actions": sources })).await.map(drop)
    }
}

fn mouse(actions: Vec<Value>) -> Value {
    json!({ "type": "pointer", "id": "mouse", "parameters": { "pointerType": "mouse" }, "actions": actions })
}

fn keyboard(actions: Vec<Value>) -> Value {
    json!({ "type": "key", "id": "keyboard", "actions": actions })
}

/// Places are whole pixels.
fn glide(x: f64, y: f64) -> Value {
    json!({ "type": "pointerMove", "x": x.round() as i64, "y": y.round() as i64, "duration": STEP_MS, "origin": "viewport" })
}

fn down() -> Value {
    json!({ "type": "pointerDown", "button": 0 })
}

fn up() -> Value {
    json!({ "type": "pointerUp", "button": 0 })
}

fn rest() -> Value {
    json!({ "type": "pause", "duration": 0 })
}

fn press(key: char) -> Value {
    json!({ "type": "keyDown", "value": key })
}

fn release(key: char) -> Value {
    json!({ "type": "keyUp", "value": key })
}
