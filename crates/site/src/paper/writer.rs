//! The file: krilla writes it and holds it to PDF/UA-1 and PDF/A-2a; a very long one to PDF/A-2u.

use std::num::NonZeroU16;

use krilla::{
    Document, SerializeSettings,
    color::rgb,
    configure::{Accessibility, Archival, ConfigurationBuilder},
    destination::XyzDestination,
    geom::{PathBuilder, Point, Rect},
    metadata::{DateTime, Metadata},
    num::NormalizedF32,
    outline::{Outline, OutlineNode},
    page::PageSettings,
    paint::{Fill, FillRule},
    surface::Surface,
    tagging::{
        Artifact, ArtifactType, ContentTag, Identifier, ListNumbering, Node, SpanTag, TableHeaderScope, Tag, TagGroup,
        TagKind, TagTree,
    },
    text::{Font, GlyphId, KrillaGlyph},
};

use crate::{
    bulletin::{calendar, content::Speaker},
    palette,
    paper::{
        Letterhead, PaperError,
        faces::{Face, Faces, Weight},
        flow::{Ink, Landmark, Mark, PAGE, Piece, Placed, Role, Sheets},
    },
};

/// A file of more pieces than this goes without tags: they would be nine tenths of it, and take as long as all the rest. Of a
/// bulletin so long the page is the form that can be heard.
const TAGGED: usize = 50_000;

/// The fonts as krilla has them.
struct Fonts<'a> {
    faces: &'a Faces,
    regular: Font,
    bold: Font,
}

impl Fonts<'_> {
    fn get(&self, weight: Weight) -> (&Face, Font) {
        let font = match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        };
        (self.faces.get(weight), font.clone())
    }
}

/// Writes the pages.
pub(super) fn write(
    sheets: &Sheets,
    letterhead: &Letterhead,
    speaker: &Speaker,
    faces: &Faces,
) -> Result<Vec<u8>, PaperError> {
    let font = |weight| Font::new(faces.get(weight).data.into(), 0).ok_or(PaperError::Font);
    let fonts = Fonts { faces, regular: font(Weight::Regular)?, bold: font(Weight::Bold)? };
    let refused = |error: String| PaperError::Writer(error);
    let is_tagged = sheets.pieces.len() <= TAGGED;
    let builder = ConfigurationBuilder::new();
    let builder = if is_tagged {
        builder.with_archival_validator(Archival::A2_A).with_accessibility_validator(Accessibility::UA1)
    } else {
        builder.with_archival_validator(Archival::A2_U)
    };
    let configuration = builder.finish().map_err(|error| refused(format!("{error:?}")))?;
    let settings = SerializeSettings { configuration, enable_tagging: is_tagged, ..SerializeSettings::default() };
    let mut document = Document::new_with(settings);
    // What each piece has on the pages, in the order of drawing.
    let mut drawn: Vec<Vec<Identifier>> = vec![Vec::new(); sheets.pieces.len()];
    for page in &sheets.pages {
        let settings = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or_else(|| refused("page size".to_owned()))?;
        let mut sheet = document.start_page_with(settings);
        let mut surface = sheet.surface();
        draw(&mut surface, page, &fonts, &mut drawn);
        surface.finish();
        sheet.finish();
    }
    if is_tagged {
        document.set_tag_tree(tree(sheets, drawn, speaker.lang().tag()));
    }
    document.set_outline(outline(&sheets.landmarks));
    document.set_metadata(metadata(letterhead, speaker.lang().tag()));
    document.finish().map_err(|error| refused(format!("{error:?}")))
}

/// Draws a page. Neighbours that are part of one piece are tagged together.
fn draw(surface: &mut Surface<'_>, page: &[Placed], fonts: &Fonts<'_>, drawn: &mut [Vec<Identifier>]) {
    for group in page.chunk_by(|a, b| a.part_of == b.part_of) {
        let piece = group.first().and_then(|first| first.part_of);
        if let Some(piece) = piece.filter(|_| group.iter().any(|placed| is_lacking(placed, fonts))) {
            draw_lacking(surface, group, fonts, &mut drawn[piece]);
            continue;
        }
        let ornament = ContentTag::Artifact(Artifact::with_kind(ArtifactType::Other));
        let tagged = surface.start_tagged(if piece.is_some() { ContentTag::Other } else { ornament });
        for placed in group {
            mark(surface, &placed.mark, fonts);
        }
        surface.end_tagged();
        if let Some(piece) = piece {
            drawn[piece].push(tagged);
        }
    }
}

/// Whether the face lacks a character of the text.
fn is_lacking(placed: &Placed, fonts: &Fonts<'_>) -> bool {
    matches!(&placed.mark, Mark::Text { hand, text, .. } if !fonts.faces.get(hand.weight).has_all(text))
}

/// Tags each line by itself, so that the file holds its characters although the page cannot show them.
fn draw_lacking(surface: &mut Surface<'_>, group: &[Placed], fonts: &Fonts<'_>, drawn: &mut Vec<Identifier>) {
    for placed in group {
        let text = match &placed.mark {
            Mark::Text { text, .. } => Some(text.as_str()),
            Mark::Area { .. } => None,
        };
        drawn.push(surface.start_tagged(ContentTag::Span(SpanTag::empty().with_actual_text(text))));
        mark(surface, &placed.mark, fonts);
        surface.end_tagged();
    }
}

fn mark(surface: &mut Surface<'_>, mark: &Mark, fonts: &Fonts<'_>) {
    match mark {
        Mark::Text { at, hand, text } => {
            surface.set_fill(Some(fill(hand.ink)));
            let (face, font) = fonts.get(hand.weight);
            let (glyphs, shown) = glyphs(face, text);
            surface.draw_glyphs(Point::from_xy(at.0, at.1), &glyphs, font, &shown, hand.size, false);
        }
        Mark::Area { at, extent, ink } => {
            let Some(rect) = Rect::from_xywh(at.0, at.1, extent.0, extent.1) else { return };
            let mut path = PathBuilder::new();
            path.push_rect(rect);
            if let Some(path) = path.finish() {
                surface.set_fill(Some(fill(*ink)));
                surface.draw_path(&path);
            }
        }
    }
}

/// The glyphs, with the text that they show.
fn glyphs(face: &Face, text: &str) -> (Vec<KrillaGlyph>, String) {
    let mut shown = String::with_capacity(text.len());
    let glyph = |character: char| {
        let glyph = face.glyph(character);
        let start = shown.len();
        shown.push(if face.has_all(character.encode_utf8(&mut [0; 4])) { character } else { '\u{fffd}' });
        let range = start..shown.len();
        KrillaGlyph::new(GlyphId::new(u32::from(glyph.id)), face.advance(glyph), 0.0, 0.0, 0.0, range, None)
    };
    (text.chars().map(glyph).collect(), shown)
}

fn fill(ink: Ink) -> Fill {
    let [_, red, green, blue] = match ink {
        Ink::Text => palette::light("ink"),
        Ink::Quiet => palette::light("quiet"),
        Ink::Paper => 0xff_ff_ff,
        Ink::Panel => palette::light("panel"),
        Ink::Rule => palette::light("rule"),
        Ink::Counted => palette::light("counted"),
        Ink::Quarantined => palette::light("quarantined"),
        Ink::Missing => palette::light("missing"),
        Ink::Bar(hue) => palette::hue(hue),
        Ink::Reach(hue) => palette::pale(palette::hue(hue)),
    }
    .to_be_bytes();
    Fill { paint: rgb::Color::new(red, green, blue).into(), opacity: NormalizedF32::ONE, rule: FillRule::NonZero }
}

/// What the file says of itself. Its time is the bulletin's: the writer reads no clock.
fn metadata(letterhead: &Letterhead, lang: &str) -> Metadata {
    let (year, [month, day, hour, minute, second]) = calendar::split(letterhead.made_at);
    let made = DateTime::new(year).month(month).day(day).hour(hour).minute(minute).second(second);
    Metadata::new()
        .title(letterhead.title.clone())
        .language(lang.to_owned())
        .creator("Tallyproof".to_owned())
        .creation_date(made.utc_offset_hour(0).utc_offset_minute(0))
}

fn outline(landmarks: &[Landmark]) -> Outline {
    let mut outline = Outline::new();
    for section in landmarks.chunk_by(|_, next| next.level > 2) {
        let node = |it: &Landmark| {
            OutlineNode::new(it.text.clone(), XyzDestination::new(it.page, Point::from_xy(0.0, (it.y - 12.0).max(0.0))))
        };
        let Some((first, rest)) = section.split_first() else { continue };
        let mut top = node(first);
        for it in rest {
            top.push_child(node(it));
        }
        outline.push_child(top);
    }
    outline
}

/// The pieces in reading order, each with what it has on the pages.
fn tree(sheets: &Sheets, mut drawn: Vec<Vec<Identifier>>, lang: &str) -> TagTree {
    let mut tree = TagTree::new().with_lang(Some(lang.to_owned()));
    for &piece in &sheets.outermost {
        tree.push(group(&sheets.pieces, &mut drawn, piece));
    }
    tree
}

fn group(pieces: &[Piece], drawn: &mut [Vec<Identifier>], number: usize) -> TagGroup {
    let piece = &pieces[number];
    let own: Vec<Node> = std::mem::take(&mut drawn[number]).into_iter().map(Node::from).collect();
    let mut group = TagGroup::with_children(tag(&piece.role), own);
    for &inner in &piece.inside {
        group.push(self::group(pieces, drawn, inner));
    }
    group
}

fn tag(role: &Role) -> TagKind {
    match role {
        Role::Heading(level, title) => {
            let level = NonZeroU16::new(u16::from(*level)).unwrap_or(NonZeroU16::MIN);
            Tag::Hn(level, Some(title.clone())).into()
        }
        Role::Paragraph => Tag::P.into(),
        Role::List => Tag::L(ListNumbering::Circle).into(),
        Role::Item => Tag::LI.into(),
        Role::ItemBody => Tag::LBody.into(),
        Role::Table(name) => Tag::Table.with_summary(Some(name.clone())).into(),
        Role::Row => Tag::TR.into(),
        Role::ColumnHead => Tag::TH(TableHeaderScope::Column).into(),
        Role::RowHead => Tag::TH(TableHeaderScope::Row).into(),
        Role::Data => Tag::TD.into(),
    }
}
