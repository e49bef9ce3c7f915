//! What map clients paste to get a layer: `TileJSON` and WMTS capabilities.

use std::collections::BTreeMap;

use quick_xml::{Reader, events::Event};

use crate::harness::{App, Reply, Source, Value, json};

/// Elements of a document by their path from the root, without prefixes, with texts and attributes.
struct Xml(Vec<(String, String, BTreeMap<String, String>)>);

impl Xml {
    /// Fails when it is not well-formed.
    fn parse(text: &str) -> Self {
        let mut reader = Reader::from_str(text);
        reader.config_mut().check_end_names = true;
        reader.config_mut().expand_empty_elements = true;
        let (mut path, mut found) = (Vec::<String>::new(), Vec::new());
        let mut open: Vec<usize> = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                Event::Start(start) => {
                    path.push(String::from_utf8(start.local_name().as_ref().to_vec()).unwrap());
                    let attributes = start.attributes().map(|one| {
                        let one = one.unwrap();
                        let name = String::from_utf8(one.key.as_ref().to_vec()).unwrap();
                        let raw = std::str::from_utf8(&one.value).unwrap();
                        (name, quick_xml::escape::unescape(raw).unwrap().into_owned())
                    });
                    open.push(found.len());
                    found.push((path.join("/"), String::new(), attributes.collect()));
                }
                Event::Text(text) => {
                    let raw = std::str::from_utf8(&text).unwrap().to_owned();
                    if let Some(element) = open.last() {
                        found[*element].1.push_str(&raw);
                    }
                }
                Event::GeneralRef(name) => {
                    let raw = format!("&{};", std::str::from_utf8(&name).unwrap());
                    let text = quick_xml::escape::unescape(&raw).unwrap().into_owned();
                    found[*open.last().unwrap()].1.push_str(&text);
                }
                Event::End(_) => {
                    path.pop();
                    open.pop();
                }
                Event::Eof => break,
                _ => {}
            }
        }
        assert!(path.is_empty(), "not closed: {path:?}");
        Self(found)
    }

    fn all(&self, path: &str) -> Vec<&str> {
        let elements = self.0.iter().filter(|(at, ..)| at == path);
        elements.map(|(_, text, _)| text.trim()).collect()
    }

    #[track_caller]
    fn one(&self, path: &str) -> &str {
        let found = self.all(path);
        assert_eq!(found.len(), 1, "{path}");
        found[0]
    }

    fn attribute(&self, path: &str, name: &str) -> &str {
        let (.., attributes) = self.0.iter().find(|(at, ..)| at == path).unwrap();
        &attributes[name]
    }
}

/// The rules of the schema of `TileJSON` 3.0.0 and of its text, as far as a raster layer is concerned.
#[track_caller]
fn follows_the_schema(tilejson: &Value) {
    assert_eq!(tilejson["tilejson"], "3.0.0");
    for member in ["name", "attribution", "scheme", "version"] {
        assert!(tilejson[member].is_string(), "{member}");
    }
    let tiles = tilejson["tiles"].as_array().unwrap();
    assert!(!tiles.is_empty());
    for hole in ["{z}", "{x}", "{y}"] {
        assert!(tiles.iter().all(|one| one.as_str().unwrap().contains(hole)));
    }
    assert!(tilejson["vector_layers"].is_array());
    let zoom = |member: &str| tilejson[member].as_u64().unwrap();
    assert!(zoom("minzoom") <= zoom("maxzoom") && zoom("maxzoom") <= 30);
    let number = |member: &str, n: usize| tilejson[member][n].as_f64().unwrap();
    let [west, south, east, north] = [0, 1, 2, 3].map(|n| number("bounds", n));
    assert!(-180.0 <= west && west < east && east <= 180.0, "{tilejson}");
    assert!(-90.0 <= south && south < north && north <= 90.0);
    let [lon, lat, zoom_shown] = [0, 1, 2].map(|n| number("center", n));
    assert!((west..=east).contains(&lon) && (south..=north).contains(&lat));
    let [least, most] = ["minzoom", "maxzoom"].map(|member| tilejson[member].as_f64().unwrap());
    assert!((least..=most).contains(&zoom_shown), "{tilejson}");
    let parts: Vec<&str> = tilejson["version"].as_str().unwrap().split('.').collect();
    assert!(parts.len() == 3 && parts.iter().all(|part| part.parse::<u32>().is_ok()));
}

async fn survey(app: &App, template: &str) -> String {
    app.layer(template)
        .with("name", "Survey <of> \"April\" & May")
        .with("attribution", "© <script>alert(1)</script> Surveyors & Co")
        .with("licence", "CC BY 4.0")
        .with("sensor", "WorldView-3")
        .with("min_zoom", 3)
        .with("max_zoom", 18)
        .with("bounds", json!([-153.0, 57.0, -152.0, 58.0]))
        .create()
        .await
}

async fn read(app: &App, key: &str, what: &str) -> Reply {
    let answer = app.public().get(&format!("/v1/imagery/{key}/{what}")).await;
    answer.expect_status(200);
    answer
}

#[tokio::test]
async fn a_layer_is_described_as_tilejson() {
    let app = App::start().await;
    let source = Source::start().await;
    let key = survey(&app, &source.url("/png/{z}/{x}/{y}?apikey=sEcReT")).await;
    let answer = read(&app, &key, "tilejson.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert!(!answer.text().contains("sEcReT") && !answer.text().contains(&source.address));
    let tilejson = answer.json();
    follows_the_schema(&tilejson);
    assert_eq!(tilejson["minzoom"], 3);
    assert_eq!(tilejson["maxzoom"], 18);
    assert_eq!(tilejson["bounds"], json!([-153.0, 57.0, -152.0, 58.0]));
    assert_eq!(tilejson["center"], json!([-152.5, 57.5, 8.0]));
    assert_eq!(tilejson["tileSize"], 256);
    assert_eq!(tilejson["description"], "WorldView-3, CC BY 4.0");
    // Clients put it on the map as HTML.
    assert_eq!(
        tilejson["attribution"],
        "© &lt;script&gt;alert(1)&lt;/script&gt; Surveyors &amp; Co"
    );
    // Its address is whole, and leads to a tile.
    let template = tilejson["tiles"][0].as_str().unwrap();
    let address = template
        .replace("{z}", "10")
        .replace("{x}", "78")
        .replace("{y}", "309");
    let (server, path) = address.split_once("/v1/").unwrap();
    assert!(
        app.servers.iter().any(|known| known.url == server),
        "{address}"
    );
    let tile = app.public().at(server).get(&format!("/v1/{path}")).await;
    tile.expect_status(200);
    assert!(tile.header("cache-control").contains("immutable"));
}

#[tokio::test]
async fn a_layer_is_described_as_a_wmts() {
    let app = App::start().await;
    let source = Source::start().await;
    let key = survey(&app, &source.url("/png/{z}/{x}/{y}.jpg?apikey=sEcReT")).await;
    let answer = read(&app, &key, "WMTSCapabilities.xml").await;
    assert_eq!(answer.header("content-type"), "application/xml");
    assert!(!answer.text().contains("sEcReT") && !answer.text().contains(&source.address));
    let xml = Xml::parse(&answer.text());
    assert_eq!(xml.attribute("Capabilities", "version"), "1.0.0");
    let service = "Capabilities/ServiceIdentification";
    assert_eq!(xml.one(&format!("{service}/ServiceType")), "OGC WMTS");
    assert_eq!(xml.one(&format!("{service}/ServiceTypeVersion")), "1.0.0");
    assert_eq!(
        xml.one("Capabilities/ServiceProvider/ProviderName"),
        "© <script>alert(1)</script> Surveyors & Co"
    );
    let layer = "Capabilities/Contents/Layer";
    assert_eq!(
        xml.one(&format!("{layer}/Title")),
        "Survey <of> \"April\" & May"
    );
    assert_eq!(xml.one(&format!("{layer}/Identifier")), key);
    assert_eq!(xml.one(&format!("{layer}/Format")), "image/jpeg");
    assert_eq!(
        xml.attribute(&format!("{layer}/Style"), "isDefault"),
        "true"
    );
    assert_eq!(
        xml.one(&format!("{layer}/WGS84BoundingBox/LowerCorner")),
        "-153 57"
    );
    assert_eq!(
        xml.one(&format!("{layer}/WGS84BoundingBox/UpperCorner")),
        "-152 58"
    );
    let link = format!("{layer}/TileMatrixSetLink");
    let set = "Capabilities/Contents/TileMatrixSet";
    assert_eq!(
        xml.one(&format!("{link}/TileMatrixSet")),
        "GoogleMapsCompatible"
    );
    assert_eq!(
        xml.one(&format!("{set}/Identifier")),
        "GoogleMapsCompatible"
    );
    assert_eq!(
        xml.one(&format!("{set}/SupportedCRS")),
        "urn:ogc:def:crs:EPSG::3857"
    );
    let scales = xml.all(&format!("{set}/TileMatrix/ScaleDenominator"));
    assert_eq!(scales.len(), 19, "zooms 0 to 18");
    assert_eq!(scales[0], "559082264.0287178");
    assert_eq!(
        xml.all(&format!("{set}/TileMatrix/MatrixWidth"))[18],
        "262144"
    );
    // Only what the layer has, by zoom.
    let limits = format!("{link}/TileMatrixSetLimits/TileMatrixLimits");
    let zooms = xml.all(&format!("{limits}/TileMatrix"));
    assert_eq!((zooms[0], zooms.len()), ("3", 16));
    assert_eq!(xml.all(&format!("{limits}/MinTileCol"))[7], "76");
    assert_eq!(xml.all(&format!("{limits}/MaxTileCol"))[7], "79");
    let template = xml.attribute(&format!("{layer}/ResourceURL"), "template");
    assert_eq!(
        xml.attribute(&format!("{layer}/ResourceURL"), "resourceType"),
        "tile"
    );
    let address = template
        .replace("{TileMatrix}", "10")
        .replace("{TileCol}", "78")
        .replace("{TileRow}", "309");
    let (server, path) = address.split_once("/v1/").unwrap();
    let tile = app.public().at(server).get(&format!("/v1/{path}")).await;
    tile.expect_status(200);
    let own = xml.attribute("Capabilities/ServiceMetadataURL", "xlink:href");
    assert!(own.ends_with(&format!("/v1/imagery/{key}/WMTSCapabilities.xml")));
}

#[tokio::test]
async fn tiles_of_512_pixels_have_a_matrix_set_of_their_own() {
    let app = App::start().await;
    let layer = app
        .layer("https://t.example.org/{z}/{x}/{y}")
        .with("tile_size", 512)
        .with("max_zoom", 2);
    let key = layer.create().await;
    let xml = Xml::parse(&read(&app, &key, "WMTSCapabilities.xml").await.text());
    let set = "Capabilities/Contents/TileMatrixSet";
    assert_eq!(xml.one(&format!("{set}/Identifier")), "WebMercatorQuad512");
    assert!(xml.all(&format!("{set}/WellKnownScaleSet")).is_empty());
    assert_eq!(xml.all(&format!("{set}/TileMatrix/TileWidth"))[0], "512");
    let scale = xml.all(&format!("{set}/TileMatrix/ScaleDenominator"))[0];
    assert_eq!(scale, "279541132.0143589");
}

#[tokio::test]
async fn bounds_across_the_antimeridian_become_those_of_the_world() {
    let app = App::start().await;
    let layer = app.layer("https://t.example.org/{z}/{x}/{y}");
    let key = layer
        .with("bounds", json!([170.0, -20.0, -170.0, -10.0]))
        .create()
        .await;
    let tilejson = read(&app, &key, "tilejson.json").await.json();
    follows_the_schema(&tilejson);
    assert_eq!(tilejson["bounds"], json!([-180.0, -20.0, 180.0, -10.0]));
    assert!([json!(180.0), json!(-180.0)].contains(&tilejson["center"][0]));
    let xml = Xml::parse(&read(&app, &key, "WMTSCapabilities.xml").await.text());
    let limits =
        "Capabilities/Contents/Layer/TileMatrixSetLink/TileMatrixSetLimits/TileMatrixLimits";
    assert_eq!(xml.all(&format!("{limits}/MinTileCol"))[5], "0");
    assert_eq!(xml.all(&format!("{limits}/MaxTileCol"))[5], "31");
}

#[tokio::test]
async fn addresses_begin_as_the_client_reaches_the_server() {
    let app = App::start().await;
    let key = survey(&app, "https://t.example.org/{z}/{x}/{y}").await;
    let path = format!("/v1/imagery/{key}/tilejson.json");
    let ask = || app.public().get(&path);
    let begins = async |call: crate::harness::client::Call, with: &str| {
        let answer = call.await;
        let tiles = answer.expect(200)["tiles"][0].as_str().unwrap().to_owned();
        assert!(tiles.starts_with(&format!("{with}/v1/imagery/")), "{tiles}");
        // Nobody else may be given what one request said of the address.
        assert!(answer.header("cache-control").starts_with("private"));
    };
    let proxied = ask()
        .header("X-Forwarded-Proto", "https")
        .header("X-Forwarded-Host", "maps.example.org");
    begins(proxied, "https://maps.example.org").await;
    let standard = ask().header("Forwarded", "proto=https;host=search.example.org:8443");
    begins(standard, "https://search.example.org:8443").await;
    ask()
        .header("X-Forwarded-Host", "evil.example/\"><script>")
        .await
        .refused(400, "invalid_host");
}

#[tokio::test]
async fn with_a_public_url_caches_may_keep_the_descriptions() {
    let app = App::builder()
        .setting("PUBLIC_URL", "https://spotter.example.org/")
        .start()
        .await;
    let key = survey(&app, "https://t.example.org/{z}/{x}/{y}").await;
    for what in ["tilejson.json", "WMTSCapabilities.xml"] {
        let path = format!("/v1/imagery/{key}/{what}");
        let asked = app
            .public()
            .get(&path)
            .header("Forwarded", "host=evil.example");
        let answer = asked.header("Accept-Encoding", "identity").await;
        answer.expect_status(200);
        assert!(
            answer
                .text()
                .contains("https://spotter.example.org/v1/imagery/")
        );
        assert!(!answer.text().contains("evil.example"));
        assert!(answer.header("cache-control").contains("s-maxage"));
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let again = app
            .public()
            .get(&path)
            .header("If-None-Match", answer.etag());
        again.await.expect(304);
        let head = app
            .public()
            .head(&path)
            .header("Accept-Encoding", "identity");
        let head = head.await;
        head.expect_status(200);
        assert_eq!(head.etag(), answer.etag());
        assert!(head.body.is_empty());
    }
    for what in ["tilejson.json", "WMTSCapabilities.xml"] {
        let none = app.public().get(&format!("/v1/imagery/none/{what}"));
        none.await.refused(404, "layer_not_found");
    }
    let settings = [("PUBLIC_URL", "spotter.example.org")];
    let refused = app.spotter_with(&["worker"], &settings).await;
    assert!(!refused.status.success());
    let told = String::from_utf8(refused.stderr).unwrap();
    assert!(told.contains("PUBLIC_URL must be an address"), "{told}");
}
