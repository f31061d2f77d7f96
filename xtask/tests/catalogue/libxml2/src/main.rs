//! Reads XML in several encodings, HTML and a schema through the crate `libxml`, and asks XPath about
//! them.

use std::ffi::CStr;

use libxml::bindings::xmlParserVersion;
use libxml::parser::{Parser, ParserOptions};
use libxml::schemas::{SchemaParserContext, SchemaValidationContext};
use libxml::tree::{Document, Node};
use libxml::xpath::Context;

fn main() {
    // 21504 for 2.15.4.
    let text = unsafe { CStr::from_ptr(xmlParserVersion) }.to_str().unwrap();
    let number: u32 = text.split('-').next().unwrap().parse().unwrap();
    let version = format!("{}.{}.{}", number / 10_000, number / 100 % 100, number % 100);
    assert_eq!(version, std::env::var("MUSLIN_VERSION").unwrap());
    paths();
    encodings();
    html();
    schema();
    files();
    threads();
}

const ORDERS: &str = r#"<?xml version="1.0"?>
<!DOCTYPE o:orders [ <!ENTITY firm "Fünf &amp; Söhne"> ]>
<o:orders xmlns:o="urn:orders">
  <o:order id="a" sum="12.5"><by>&firm;</by></o:order>
  <o:order id="b" sum="30"><by><![CDATA[<nobody>]]></by></o:order>
</o:orders>"#;

fn paths() {
    let document = Parser::default().parse_string(ORDERS).unwrap();
    let mut context = Context::new(&document).unwrap();
    context.register_namespace("x", "urn:orders").unwrap();
    let mut value = |path: &str| context.findvalue(path, None).unwrap();
    assert_eq!(value("sum(//x:order/@sum)"), "42.5");
    assert_eq!(value("string(/x:orders/x:order[@id='a']/by)"), "Fünf & Söhne");
    assert_eq!(value("string(//x:order[last()]/by)"), "<nobody>");
    assert_eq!(value("count(//order)"), "0", "without the namespace");
    assert_eq!(value("translate(substring-after('a-bc', '-'), 'c', 'x')"), "bx");
    assert!(context.evaluate("//[").is_err());

    let broken = "<open><closed></open>";
    let strict = ParserOptions { recover: false, no_error: true, ..ParserOptions::default() };
    assert!(Parser::default().parse_string_with_options(broken, strict).is_err());
    assert!(Parser::default().parse_string(broken).is_ok(), "the crate asks to go on");
}

/// The texts of the library's own encodings, and of those that it has from musl's iconv.
fn encodings() {
    let texts: [(&str, &[u8], &str); 4] = [
        ("ISO-8859-1", b"\xe9t\xe9", "été"),
        ("ISO-8859-15", b"5 \xa4", "5 €"),
        ("windows-1251", b"\xec\xe8\xf0", "мир"),
        ("Shift_JIS", b"\x93\xfa\x96\x7b", "日本"),
    ];
    for (encoding, bytes, text) in texts {
        let head = format!("<?xml version=\"1.0\" encoding=\"{encoding}\"?><t>");
        let xml = [head.as_bytes(), bytes, b"</t>"].concat();
        let document = Parser::default().parse_string(xml).expect(encoding);
        assert_eq!(document.get_root_element().unwrap().get_content(), text, "{encoding}");
    }
}

fn html() {
    let text = "<p>one<br>two<p class=x>three &eacute;&nbsp;<a href='?a=1&b=2'>link</a>";
    let document = Parser::default_html().parse_string(text).unwrap();
    let mut context = Context::new(&document).unwrap();
    assert_eq!(context.findvalue("count(/html/body/p)", None).unwrap(), "2");
    assert_eq!(context.findvalue("//a/@href", None).unwrap(), "?a=1&b=2");
    let second = context.findnodes("//p[@class='x']", None).unwrap().remove(0);
    assert_eq!(second.get_content(), "three é\u{a0}link");
}

const SCHEMA: &str = r#"<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">
  <xs:element name="order"><xs:complexType>
    <xs:sequence><xs:element name="day" type="xs:date" maxOccurs="2"/></xs:sequence>
    <xs:attribute name="id" use="required"><xs:simpleType><xs:restriction base="xs:string">
      <xs:pattern value="[A-Z]{2}\d+"/></xs:restriction></xs:simpleType></xs:attribute>
  </xs:complexType></xs:element>
</xs:schema>"#;

fn schema() {
    let mut parser = SchemaParserContext::from_buffer(SCHEMA);
    let mut schema = SchemaValidationContext::from_parser(&mut parser).ok().expect("a schema");
    let mut mistakes = |xml: &str| {
        let document = Parser::default().parse_string(xml).unwrap();
        schema.validate_document(&document).err().map_or(0, |mistakes| mistakes.len())
    };
    assert_eq!(mistakes("<order id='AB12'><day>2024-02-29</day></order>"), 0);
    assert_eq!(mistakes("<order id='AB12'><day>2023-02-29</day></order>"), 1);
    assert!(mistakes("<order id='A1'><day>2024-02-29</day></order>") > 0);
    assert_eq!(mistakes("<order id='AB1'/>"), 1);
}

fn files() {
    let mut document = Document::new().unwrap();
    let mut root = Node::new("root", None, &document).unwrap();
    document.set_root_element(&root);
    root.set_attribute("quote", "\"<&>\"").unwrap();
    root.add_text_child(None, "child", "a < b").unwrap();
    document.save_file("/tmp/made.xml").unwrap();
    let written = std::fs::read_to_string("/tmp/made.xml").unwrap();
    assert!(written.contains("&lt;&amp;"), "{written}");
    // A node of the crate's does not keep its document.
    let document = Parser::default().parse_file("/tmp/made.xml").unwrap();
    let read = document.get_root_element().unwrap();
    assert_eq!(read.get_attribute("quote").unwrap(), "\"<&>\"");
    assert_eq!(read.get_content(), "a < b");
}

fn threads() {
    let work = || {
        for _ in 0..50 {
            let document = Parser::default().parse_string(ORDERS).unwrap();
            let mut context = Context::new(&document).unwrap();
            assert_eq!(context.findvalue("count(//by)", None).unwrap(), "2");
        }
    };
    let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(work)).collect();
    for thread in threads {
        thread.join().unwrap();
    }
}
