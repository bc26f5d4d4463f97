#!/usr/bin/env python3
"""Makes pictures that are not photographs with the programs that people make them with.

Needs `pip install matplotlib numpy pillow`, and chromium, soffice (LibreOffice Writer, Calc, Impress), pdftoppm,
Xvfb, xterm and ImageMagick's import.
Usage: bench/draw-graphics.py FOLDER --photos FOLDER... [--each 20] [--seed 0] [--planet PLANET]
    FOLDER    to write `kind-00.png` or `.jpg` into, `--each` of every kind
    --photos  photos that stand in web pages, viewers, collages and memes
    --planet  the command, for its own maps
"""

import argparse
import html
import os
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

WORDS = ("river market harbour old station morning light ticket museum road bridge window winter garden letter "
         "number street coffee train north island valley summer report weather city people water stone train "
         "history evening north photo travel guide price open closed today week between under along").split()
FONTS = ["DejaVu Sans", "DejaVu Serif", "Liberation Sans", "Liberation Serif", "Noto Sans", "URW Gothic"]
HTML = "<!DOCTYPE html><html><head><meta charset='utf-8'></head>"
SCREENS = [(390, 844, 2), (360, 740, 3), (1280, 800, 1), (1440, 900, 1), (820, 1180, 1), (1024, 640, 1.5)]


class Maker:
    def __init__(self, out: Path, photos: list[Path], seed: int, planet: str | None, work: Path):
        self.out, self.photos, self.planet, self.work = out, photos, planet, work
        self.seed = seed

    def begin(self, kind: str, number: int) -> None:
        """Every picture has its own random numbers, so that one of them can be made again."""
        self.random = random.Random(f"{self.seed} {kind} {number}")
        self.numpy = np.random.default_rng(self.random.getrandbits(32))

    def words(self, count: int) -> str:
        return " ".join(self.random.choice(WORDS) for _ in range(count)).capitalize() + "."

    def photo(self) -> Path:
        return self.random.choice(self.photos)

    def colour(self, low: int = 0, high: int = 255) -> str:
        return "#%02x%02x%02x" % tuple(self.random.randint(low, high) for _ in range(3))

    def dark_or_light(self) -> tuple[str, str]:
        return self.random.choice([("#fff", "#222"), ("#fafafa", "#111"), ("#1e1e1e", "#ddd"), ("#fdf6e3", "#333"),
                                   ("#0d1117", "#c9d1d9"), (self.colour(225), "#222")])

    def page(self, body: str, size: tuple[int, int, float] | None = None, style: str = "") -> Image.Image:
        """A web page in Chromium, as a screenshot."""
        width, height, scale = size or self.random.choice(SCREENS)
        back, front = self.dark_or_light()
        font = self.random.choice(FONTS)
        source = self.work / "page.html"
        source.write_text(f"<!doctype html><meta charset=utf-8><style>body{{margin:0;background:{back};color:{front};"
                          f"font:{self.random.choice([14, 16, 18])}px '{font}'}}main{{padding:1em 6%}}"
                          f"img{{display:block}}{style}</style>{body}")
        shot = self.work / "page.png"
        subprocess.run(["chromium", "--headless", "--no-sandbox", "--hide-scrollbars", "--disable-gpu",
                        f"--window-size={width},{height}", f"--force-device-scale-factor={scale}",
                        "--allow-file-access-from-files", f"--screenshot={shot}", source.as_uri()],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
        return Image.open(shot).convert("RGB")

    def office(self, document: str, ending: str, reader: str, dpi: int) -> Image.Image:
        """A document in LibreOffice, its first page as a picture."""
        source = self.work / f"document.{ending}"
        source.write_text(document)
        subprocess.run(["soffice", f"-env:UserInstallation={(self.work / 'office').as_uri()}", "--headless",
                        f"--infilter={reader}", "--convert-to", "pdf", "--outdir", self.work, source],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=180)
        subprocess.run(["pdftoppm", "-r", str(dpi), "-png", "-singlefile", self.work / "document.pdf",
                        self.work / "document"], check=True)
        return Image.open(self.work / "document.png").convert("RGB")

    # Each kind returns a picture.

    def page_text(self) -> Image.Image:
        parts = [f"<h1>{self.words(4)}</h1>"]
        for _ in range(8):
            parts.append(f"<h3>{self.words(3)}</h3><p>{self.words(60)}</p>" if self.random.random() < 0.5 else
                         "<ul>" + "".join(f"<li><a href=#>{self.words(6)}</a>" for _ in range(5)) + "</ul>")
        head = f"<div style='background:{self.colour()};color:#fff;padding:1em'>{self.words(3)}</div>"
        return self.page(head + "<main>" + "".join(parts) + "</main>")

    def page_photos(self) -> Image.Image:
        image = lambda style: f"<img src='{self.photo().as_uri()}' style='{style}'>"
        layout = self.random.choice(["article", "grid", "feed"])
        if layout == "article":
            body = f"<main><h1>{self.words(6)}</h1>{image('width:100%')}<p>{self.words(90)}</p></main>"
        elif layout == "grid":
            cells = "".join(image("width:100%;aspect-ratio:1;object-fit:cover;border-radius:6px") for _ in range(12))
            columns = self.random.choice([2, 3, 4])
            body = (f"<main><h2>{self.words(3)}</h2><div style='display:grid;gap:8px;"
                    f"grid-template-columns:repeat({columns},1fr)'>{cells}</div></main>")
        else:
            posts = "".join(f"<p><b>{self.words(2)}</b></p>{image('width:100%')}<p>{self.words(15)}</p>"
                            for _ in range(3))
            body = f"<main style='max-width:32em;margin:auto'>{posts}</main>"
        return self.page(body)

    def viewer(self) -> Image.Image:
        """A photo over the whole screen, with bars above and below."""
        buttons = "".join(f"<span style='margin:0 1em'>{word}</span>" for word in ["Back", "Edit", "Share", "Delete"])
        bar = "position:absolute;left:0;right:0;padding:.8em;background:#000c;color:#fff;text-align:center"
        body = (f"<div style='height:100vh;background:#000'><img src='{self.photo().as_uri()}' style='width:100%;"
                f"height:100%;object-fit:contain'></div><div style='{bar};top:0'>{self.words(3)}</div>"
                f"<div style='{bar};bottom:0'>{buttons}</div>")
        return self.page(body)

    def chat(self) -> Image.Image:
        bubbles = ""
        for _ in range(14):
            side, colour = self.random.choice([("left", "#fff"), ("right", self.colour(170, 240))])
            bubbles += (f"<div style='text-align:{side};margin:.5em'><span style='display:inline-block;max-width:70%;"
                        f"background:{colour};color:#111;border-radius:1em;padding:.6em 1em;text-align:left;"
                        f"box-shadow:0 1px 2px #0004'>{self.words(self.random.randint(2, 18))}</span></div>")
        wall = self.random.choice([f"background:linear-gradient({self.colour()},{self.colour()})",
                                   f"background:{self.colour(150)}"])
        return self.page(f"<div style='min-height:100vh;{wall}'>{bubbles}</div>", self.random.choice(SCREENS[:2]))

    def interface(self) -> Image.Image:
        """A phone's home screen: icons over a wallpaper of gradients."""
        icons = "".join(
            f"<div style='text-align:center;color:#fff;font-size:.7em'><div style='aspect-ratio:1;border-radius:22%;"
            f"background:linear-gradient({self.random.randint(0, 360)}deg,{self.colour()},{self.colour()});"
            "box-shadow:0 2px 6px #0006;font-size:2em;line-height:2em'>"
            f"{self.random.choice('★♫✉☎⚙♥☀✈')}</div>"
            f"{self.random.choice(WORDS)}</div>" for _ in range(20))
        wall = (f"radial-gradient(circle at {self.random.randint(0, 100)}% 20%,{self.colour()},transparent 60%),"
                f"linear-gradient({self.colour()},{self.colour()})")
        body = (f"<div style='min-height:100vh;background:{wall};padding:2em 1.5em;box-sizing:border-box;display:grid;"
                f"grid-template-columns:repeat(4,1fr);gap:1.4em;align-content:start'>{icons}</div>")
        return self.page(body, self.random.choice(SCREENS[:2]))

    def poster(self) -> Image.Image:
        """Words over a gradient or over shapes."""
        shapes = "".join(
            f"<circle cx={self.random.randint(0, 100)} cy={self.random.randint(0, 100)} r={self.random.randint(5, 40)} "
            f"fill='{self.colour()}' opacity={self.random.random():.2f} />" for _ in range(self.random.randint(0, 12)))
        back = f"linear-gradient({self.random.randint(0, 360)}deg,{self.colour()},{self.colour()},{self.colour()})"
        body = (f"<div style='height:100vh;background:{back};position:relative'><svg viewBox='0 0 100 100' "
                f"preserveAspectRatio=none style='position:absolute;width:100%;height:100%'>{shapes}</svg>"
                f"<h1 style='position:absolute;top:30%;left:8%;right:8%;font-size:3.5em;color:#fff;"
                f"text-shadow:0 2px 8px #0008'>{self.words(6)}</h1></div>")
        return self.page(body)

    def icon(self) -> Image.Image:
        """Clip-art: filled and outlined shapes on one colour."""
        shapes = ""
        for _ in range(self.random.randint(3, 9)):
            x, y, r = (self.random.randint(10, 90), self.random.randint(10, 90), self.random.randint(5, 30))
            points = " ".join(f"{self.random.randint(0, 100)},{self.random.randint(0, 100)}" for _ in range(5))
            paint = f"fill='{self.colour()}' stroke='#111' stroke-width={self.random.choice([0, 1, 2])}"
            shapes += self.random.choice([f"<circle cx={x} cy={y} r={r} {paint} />",
                                          f"<rect x={x} y={y} width={r} height={r} rx=3 {paint} />",
                                          f"<polygon points='{points}' {paint} />"])
        return self.page(f"<svg viewBox='0 0 100 100' style='width:100%;height:100vh'>{shapes}</svg>",
                         self.random.choice([(256, 256, 1), (512, 512, 1), (800, 600, 1)]))

    def document(self) -> Image.Image:
        body = f"<h1>{self.words(5)}</h1>"
        for _ in range(9):
            body += f"<p>{self.words(70)}</p>"
            if self.random.random() < 0.2:
                row = lambda: "<tr>" + "".join(f"<td>{self.words(1)}</td>" for _ in range(4)) + "</tr>"
                body += f"<table border=1>{''.join(row() for _ in range(4))}</table>"
        font = self.random.choice(FONTS)
        page = f"{HTML}<body style='font-family:{font}'>{body}</body></html>"
        return self.office(page, "html", "HTML (StarWriter)", self.random.choice([72, 100, 150]))

    def slide(self) -> Image.Image:
        lines = "".join(f"<text:p>{html.escape(self.words(6))}</text:p>" for _ in range(self.random.randint(2, 5)))
        picture = ""
        if self.random.random() < 0.3:
            picture = ("<draw:frame svg:x='16cm' svg:y='5cm' svg:width='10cm' svg:height='8cm'><draw:image xlink:href="
                       f"'{self.photo().as_uri()}'/></draw:frame>")
        fill = (f"draw:fill='gradient' draw:fill-gradient-name='g'" if self.random.random() < 0.5 else
                f"draw:fill='solid' draw:fill-color='{self.colour(120)}'")
        names = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{path}:1.0"' for name, path in [
            ("office", "office"), ("text", "text"), ("draw", "drawing"), ("style", "style"), ("svg", "svg-compatible"),
            ("fo", "xsl-fo-compatible")]) + ' xmlns:xlink="http://www.w3.org/1999/xlink"'
        return self.office(
            f"<?xml version='1.0'?><office:document {names} office:version='1.2' office:mimetype="
            "'application/vnd.oasis.opendocument.presentation'><office:styles><draw:gradient draw:name='g' draw:style="
            f"'linear' draw:start-color='{self.colour()}' draw:end-color='{self.colour()}' draw:angle='450'/>"
            "</office:styles><office:automatic-styles><style:page-layout style:name='l'><style:page-layout-properties "
            "fo:page-width='28cm' fo:page-height='15.75cm'/></style:page-layout><style:style style:name='d' style:family="
            f"'drawing-page'><style:drawing-page-properties {fill} draw:background-size='full'/></style:style>"
            "<style:style style:name='t' style:family='text'><style:text-properties fo:font-size='40pt'/></style:style>"
            "</office:automatic-styles><office:master-styles><style:master-page style:name='m' style:page-layout-name='l' "
            "draw:style-name='d'/></office:master-styles><office:body><office:presentation><draw:page draw:name='p' "
            "draw:style-name='d' draw:master-page-name='m'><draw:frame svg:x='2cm' svg:y='1cm' svg:width='24cm' "
            f"svg:height='3cm'><draw:text-box><text:p><text:span text:style-name='t'>{html.escape(self.words(4))}"
            "</text:span></text:p></draw:text-box></draw:frame><draw:frame svg:x='2cm' svg:y='5cm' svg:width='13cm' "
            f"svg:height='9cm'><draw:text-box>{lines}</draw:text-box></draw:frame>{picture}</draw:page>"
            "</office:presentation></office:body></office:document>", "fodp",
            "OpenDocument Presentation Flat XML", self.random.choice([72, 96, 130]))

    def sheet(self) -> Image.Image:
        rows = ""
        for row in range(45):
            colour = self.colour(200) if row % self.random.choice([2, 5]) == 0 else "#ffffff"
            cells = "".join(f"<td bgcolor='{colour}'>{self.random.randint(0, 99999) if column else self.words(2)}</td>"
                            for column in range(7))
            rows += f"<tr>{cells}</tr>"
        page = f"{HTML}<body><table border='1'>{rows}</table></body></html>"
        return self.office(page, "html", "HTML (StarCalc)", self.random.choice([72, 100, 130]))

    def plot(self) -> Image.Image:
        style = self.random.choice(["default", "ggplot", "dark_background", "bmh", "fivethirtyeight"])
        with plt.style.context(style):
            figure, axes = plt.subplots(figsize=(6, 4), dpi=self.random.choice([80, 100, 160]))
            kind = self.random.choice(["lines", "points", "bars", "heat", "contours", "pie", "histogram"])
            x = np.linspace(0, 10, 200)
            noise = self.numpy.normal(size=(200, 200))
            if kind == "lines":
                for _ in range(4):
                    axes.plot(x, np.cumsum(self.numpy.normal(size=200)), label=self.random.choice(WORDS))
                axes.legend()
            elif kind == "points":
                count = self.random.choice([200, 5000])
                axes.scatter(*self.numpy.normal(size=(2, count)), c=self.numpy.random(count), s=8, alpha=0.6)
            elif kind == "bars":
                axes.bar(WORDS[:6], self.numpy.random(6))
            elif kind == "pie":
                axes.pie(self.numpy.random(5), labels=WORDS[:5])
            elif kind == "histogram":
                axes.hist(self.numpy.normal(size=2000), bins=40)
            else:
                smooth = np.cumsum(np.cumsum(noise, axis=0), axis=1)
                show = axes.imshow if kind == "heat" else axes.contourf
                figure.colorbar(show(smooth, cmap=self.random.choice(["viridis", "jet", "gray", "RdBu"])))
            axes.set_title(self.words(4))
            figure.savefig(self.work / "plot.png")
            plt.close(figure)
        return Image.open(self.work / "plot.png").convert("RGB")

    def map(self) -> Image.Image:
        kind = self.random.choice(["relief", "streets", "dots", "planet"])
        if kind == "planet" and self.planet:
            points = self.work / "points.csv"
            spots = [(self.numpy.normal(lat, 6), self.numpy.normal(lng, 9)) for lat, lng in
                     [(48, 9), (35, 137), (38, -97), (-30, 145), (20, 78)] for _ in range(400)]
            points.write_text("photo,lat,lng\n" + "".join(f"{n},{a:.4f},{b:.4f}\n" for n, (a, b) in enumerate(spots)))
            target = self.work / "map.png"
            subprocess.run([self.planet, "dataset", "stats", points, "--map", target, "--overwrite"], check=True,
                           stdout=subprocess.DEVNULL)
            return Image.open(target).convert("RGB")
        if kind in ("relief", "planet"):
            hills = lambda size: np.array(Image.fromarray(self.numpy.normal(size=size).astype("f4")).resize(
                (960, 720), Image.BICUBIC))
            height = hills((24, 32)) + 0.2 * hills((90, 120))
            light = matplotlib.colors.LightSource(315, 45).shade(height, plt.get_cmap("gist_earth"), blend_mode="soft",
                                                                vert_exag=40)
            picture = Image.fromarray((light[..., :3] * 255).astype("u1"))
            drawing = ImageDraw.Draw(picture)
            for _ in range(12):
                at = (self.random.randint(0, 900), self.random.randint(0, 700))
                drawing.text(at, self.random.choice(WORDS), "black", ImageFont.load_default(18))
            return picture
        lines = ""
        for _ in range(60):
            x, y = self.random.randint(-10, 110), self.random.randint(-10, 110)
            if kind == "dots":
                lines += f"<circle cx={x} cy={y} r=.8 fill='{self.colour()}' opacity=.7 />"
            else:
                turn = self.random.choice([0, 90, 20, 110])
                lines += (f"<line x1=-99 x2=199 y1=0 y2=0 stroke='{self.random.choice(['#fff', '#fda', '#ccc'])}' "
                          f"stroke-width={self.random.choice([0.5, 1, 2])} "
                          f"transform='translate({x} {y}) rotate({turn})'/>")
        parks = "".join(f"<ellipse cx={self.random.randint(0, 100)} cy={self.random.randint(0, 100)} rx=14 ry=9 "
                        f"fill='{self.random.choice(['#cde6c0', '#a8d0e6'])}'/>" for _ in range(6))
        names = "".join(f"<text x={self.random.randint(0, 90)} y={self.random.randint(5, 99)} font-size=2.5>"
                        f"{self.random.choice(WORDS)}</text>" for _ in range(30))
        return self.page(f"<svg viewBox='0 0 100 100' preserveAspectRatio='xMidYMid slice' style='background:#eee9df;"
                         f"width:100%;height:100vh'>{parks}{lines}{names}</svg>")

    def terminal(self) -> Image.Image:
        display = f":{self.random.randint(100, 999)}"
        server = subprocess.Popen(["Xvfb", display, "-screen", "0", "1000x700x24"], stderr=subprocess.DEVNULL)
        commands = ["ls --color=always -la /usr/bin | head -60", "top -b -n 1 | head -50", "ls --color=always /etc",
                    "cat /etc/services", "df -h; free; ps aux | head -30", f"cat {__file__} | head -80 | tail -50"]
        back, front = self.random.choice([("black", "white"), ("white", "black"), ("#300a24", "#eeeeec"),
                                          ("#002b36", "#93a1a1")])
        columns, lines, size = self.random.choice([(100, 40, 10), (80, 24, 13), (120, 45, 9)])
        try:
            time.sleep(1)
            xterm = subprocess.Popen(
                ["xterm", "-display", display, "-fa", "DejaVu Sans Mono", "-fs", str(size), "-bg", back, "-fg", front,
                 "-geometry", f"{columns}x{lines}+{self.random.randint(0, 60)}+{self.random.randint(0, 40)}",
                 "-e", "sh", "-c", f"{self.random.choice(commands)}; sleep 60"], stderr=subprocess.DEVNULL)
            time.sleep(3)
            subprocess.run(["import", "-display", display, "-window", "root", self.work / "terminal.png"], check=True)
            xterm.terminate()
            xterm.wait()
        finally:
            server.terminate()
            server.wait()
        return Image.open(self.work / "terminal.png").convert("RGB")

    def scan(self) -> Image.Image:
        """A document on a scanner, or photographed: turned, unevenly lit, noisy."""
        paper = self.document().convert("RGB")
        paper = paper.rotate(self.random.uniform(-3, 3), Image.BICUBIC, expand=True, fillcolor=self.colour(200))
        if self.random.random() < 0.5:
            paper = paper.filter(ImageFilter.GaussianBlur(self.random.uniform(0.3, 1.2)))
        values = np.asarray(paper, "f4")
        rows, columns = values.shape[:2]
        slope = np.linspace(1, self.random.uniform(0.6, 1), columns)[None, :, None]
        slope = slope * np.linspace(self.random.uniform(0.75, 1), 1, rows)[:, None, None]
        tint = np.array([1, self.random.uniform(0.93, 1), self.random.uniform(0.85, 1)])
        values = values * slope * tint + self.numpy.normal(0, self.random.uniform(1, 6), values.shape)
        return Image.fromarray(values.clip(0, 255).astype("u1"))

    def meme(self) -> Image.Image:
        photo = Image.open(self.photo()).convert("RGB")
        width, height = photo.size
        text = [self.words(3).upper(), self.words(4).upper()]
        # A capital letter is about 0.7 times as wide as high.
        letters = min(width // self.random.choice([9, 12, 16]), round(1.3 * width / len(max(text, key=len))))
        font = ImageFont.truetype("LiberationSans-Bold.ttf", letters)
        if self.random.random() < 0.5:
            drawing = ImageDraw.Draw(photo)
            for line, at, anchor in [(text[0], letters // 2, "ma"), (text[1], height - letters // 2, "md")]:
                drawing.text((width / 2, at), line, "white", font, anchor, stroke_width=letters // 10,
                             stroke_fill="black")
            return photo
        band = 3 * letters
        picture = Image.new("RGB", (width, height + band), self.random.choice(["white", "black"]))
        picture.paste(photo, (0, band))
        ink = "black" if picture.getpixel((0, 0)) == (255, 255, 255) else "white"
        ImageDraw.Draw(picture).multiline_text((letters // 2, letters // 3), "\n".join(text), ink, font)
        return picture

    def collage(self) -> Image.Image:
        """Photos on a plain ground with words."""
        cells = "".join(f"<div style='transform:rotate({self.random.randint(-6, 6)}deg);background:#fff;"
                        f"padding:8px 8px 30px;box-shadow:2px 2px 8px #0006'><img src='{self.photo().as_uri()}' style='width:100%;"
                        "aspect-ratio:1;object-fit:cover'></div>" for _ in range(self.random.choice([4, 6])))
        body = (f"<div style='min-height:100vh;background:{self.colour(120)};padding:2em;box-sizing:border-box'>"
                f"<h1 style='color:#fff;margin:0 0 .5em'>{self.words(4)}</h1><div style='display:grid;gap:1.5em;"
                f"grid-template-columns:repeat({self.random.choice([2, 3])},1fr)'>{cells}</div></div>")
        return self.page(body)


KINDS = ["page_text", "page_photos", "viewer", "chat", "interface", "poster", "icon", "document", "slide", "sheet",
         "plot", "map", "terminal", "scan", "meme", "collage"]
# Saved as JPEG: always, and half of the time (as messengers and posts do).
ALWAYS_JPEG, NEVER_JPEG = {"scan", "meme"}, {"terminal", "document", "sheet"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", type=Path, nargs="+", required=True)
    parser.add_argument("--each", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--planet", type=lambda path: shutil.which(path) or os.path.abspath(path))
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    arguments = parser.parse_args()
    photos = [path.resolve() for folder in arguments.photos for path in sorted(folder.rglob("*.jpg"))]
    arguments.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        maker = Maker(arguments.folder, photos, arguments.seed, arguments.planet, Path(work))
        for kind in arguments.kinds:
            for number in range(arguments.each):
                stem = arguments.folder / f"{kind}-{number:02d}"
                if stem.with_suffix(".png").exists() or stem.with_suffix(".jpg").exists():
                    continue
                maker.begin(kind, number)
                picture = getattr(maker, kind)()
                jpeg = kind in ALWAYS_JPEG or kind not in NEVER_JPEG and maker.random.random() < 0.5
                if jpeg and kind != "scan" and maker.random.random() < 0.5:
                    # Messengers reduce pictures.
                    picture.thumbnail((1080, 1080), Image.LANCZOS)
                if jpeg:
                    picture.save(stem.with_suffix(".jpg"), quality=maker.random.choice([60, 75, 85, 92]))
                else:
                    picture.save(stem.with_suffix(".png"))
            print(kind, flush=True)


if __name__ == "__main__":
    main()
