"""Miniatures of the public data sets for geolocation, made of synthetic photos: the same files, names and
columns, a few hundred photos. For scripts/check-real-model-recipe.

Some photos are what real downloads also contain: files that are no photos, rows whose photo is missing, copies,
graphics, and photos of the test set among the training photos.
"""

import csv
import hashlib
import json
import struct
import subprocess
import zipfile
from dataclasses import dataclass

TRAIN, TEST = 1150, 150  # photos drawn
COPIES = 3               # training photos that stand there twice
LEAKS = 5                # test photos that are training photos too
MISSING = 4              # rows without a photo
BROKEN = b"<html><body>This photo is no longer available.</body></html>"

OSV5M_COLUMNS = (
    "id,latitude,longitude,thumb_original_url,country,sequence,captured_at,lon_bin,lat_bin,cell,region,sub-region,"
    "city,land_cover,road_index,drive_side,climate,soil,dist_sea,quadtree_10_5000,quadtree_10_25000,quadtree_10_1000,"
    "quadtree_10_50000,quadtree_10_12500,quadtree_10_500,quadtree_10_2500,unique_region,unique_sub-region,unique_city,"
    "unique_country,creator_username,creator_id"
).split(",")
PLACES365 = ["S3_Label", "S16_Label", "S365_Label", "Prob_indoor", "Prob_natural", "Prob_urban"]


@dataclass
class Drawn:
    """A synthetic photo; `author` as Flickr writes them."""

    lat: float
    lng: float
    author: str
    data: bytes
    number: int

    @property
    def mp16(self):
        """Its id in MP-16: two folders by a hash, and a number."""
        name = hashlib.md5(str(self.number).encode()).hexdigest()
        return f"{name[:2]}/{name[2:4]}/{9_000_000_000 + self.number}.jpg"

    @property
    def osv5m(self):
        return 100_000_000_000_000 + 7 * self.number


def draw(planet, folder, photos, seed):
    """Synthetic photos with positions and authors, some of them graphics."""
    command = [planet, "world", "draw", "--photos", str(photos), "--size", "112", "--seed", str(seed),
               "--non-photos", "0.01", "-o", folder]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    drawn = []
    with (folder / "truth.csv").open(newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            author = row["photo"].split("/")[0].rsplit("-", 1)[-1]
            data = (folder / row["photo"]).read_bytes()
            number = 100_000 * seed + len(drawn)
            drawn.append(Drawn(float(row["lat"] or 0), float(row["lng"] or 0), f"{seed}{author}@N00", data, number))
    return drawn


def packed(record):
    """MessagePack of a map of text to text, bytes and numbers; bytes as text where `bytes_as_text`, as
    msgpack-python wrote them before version 1."""
    def header(length, sizes):
        for marker, width in sizes:
            if length < 256 ** width:
                return bytes([marker]) + length.to_bytes(width, "big")
        raise ValueError("too long")

    def text(value):
        data = value if isinstance(value, bytes) else value.encode()
        return header(len(data), [(0xD9, 1), (0xDA, 2), (0xDB, 4)]) + data

    def value_of(value):
        match value:
            case float():
                return b"\xcb" + struct.pack(">d", value)
            case bytes() if not record.get("old"):
                return header(len(value), [(0xC4, 1), (0xC5, 2), (0xC6, 4)]) + value
            case _:
                return text(value)

    fields = {name: value for name, value in record.items() if name != "old"}
    return bytes([0x80 | len(fields)]) + b"".join(text(name) + value_of(value) for name, value in fields.items())


def write_table(path, columns, rows):
    with path.open("w", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(columns)
        table.writerows(rows)


def places365(photo):
    """Labels and probabilities as the scene classifier of those tables gives them; here they mean nothing."""
    label = photo.number % 3
    return [label, 5 * label, 100 * label, *(f"{0.9 if at == label else 0.05}" for at in range(3))]


def write_mp16(folder, photos):
    """`mp16_places365.csv`, `mp16/shard_N.msg` and the same photos as `mp16-photos/xx/yy/NUMBER.jpg`."""
    rows = [[it.mp16, it.author, it.lat, it.lng, *places365(it)] for it in photos]
    missing = [Drawn(1.0, 2.0, "0@N00", b"", 1_000_000 + at) for at in range(MISSING)]
    rows += [[it.mp16, it.author, it.lat, it.lng, *places365(it)] for it in missing]
    write_table(folder / "mp16_places365.csv", ["IMG_ID", "AUTHOR", "LAT", "LON", *PLACES365], rows)
    (folder / "mp16").mkdir()
    size = -(-len(photos) // 3)
    for shard in range(3):
        with (folder / "mp16" / f"shard_{shard}.msg").open("wb") as file:
            for photo in photos[size * shard:size * (shard + 1)]:
                record = {"image": photo.data, "id": photo.mp16}
                if shard == 1:
                    record["old"] = True
                if shard == 2:
                    record |= {"latitude": photo.lat, "longitude": photo.lng}
                file.write(packed(record))
    for photo in photos:
        path = folder / "mp16-photos" / photo.mp16
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(photo.data)


def write_osv5m(folder, parts):
    """`osv5m/train.csv`, `osv5m/test.csv` and archives of numbered folders, `osv5m/images/train/00.zip`."""
    for part, photos in parts.items():
        images = folder / "osv5m" / "images" / part
        images.mkdir(parents=True)
        half = -(-len(photos) // 2)
        rows = []
        for number, of in (("00", photos[:half]), ("01", photos[half:])):
            with zipfile.ZipFile(images / f"{number}.zip", "w") as archive:
                for photo in of:
                    archive.writestr(f"{number}/{photo.osv5m}.jpg", photo.data)
                    known = {"id": photo.osv5m, "latitude": photo.lat, "longitude": photo.lng,
                             "sequence": f"s{photo.author}", "captured_at": 1_563_127_402_000 + photo.number,
                             "cell": "(0, 8)", "creator_username": f"user {photo.author}",
                             "creator_id": photo.author.split("@")[0]}
                    rows.append([known.get(column, "") for column in OSV5M_COLUMNS])
        write_table(folder / "osv5m" / f"{part}.csv", OSV5M_COLUMNS, rows)


def write_im2gps3k(folder, photos):
    """`im2gps3k/NUMBER_HASH_N_AUTHOR.jpg` and `im2gps3k_places365.csv`, with latitude and longitude exchanged in
    its header, as an early version of that file has them."""
    (folder / "im2gps3k").mkdir()
    rows = []
    for photo in photos:
        name = f"{photo.number}_{hashlib.md5(photo.data).hexdigest()[:10]}_1_{photo.author}.jpg"
        (folder / "im2gps3k" / name).write_bytes(photo.data)
        rows.append([name, photo.author, photo.lat, photo.lng, *places365(photo)])
    write_table(folder / "im2gps3k_places365.csv", ["IMG_ID", "AUTHOR", "LON", "LAT", *PLACES365], rows)


def write_all(planet, folder):
    """All data sets below the folder; what was planted, by name, in `planted.json`."""
    photos = draw(planet, folder / "drawn", TRAIN, 1)
    test = draw(planet, folder / "drawn-test", TEST, 2)

    def again(photo, number, author):
        return Drawn(photo.lat, photo.lng, author, photo.data, number)

    copies = [again(photo, 500_000 + at, "77@N00") for at, photo in enumerate(photos[:COPIES])]
    leaks = [again(photo, 600_000 + at, "88@N00") for at, photo in enumerate(test[:LEAKS])]
    broken = [Drawn(3.0, 4.0, "99@N00", BROKEN, 700_000 + at) for at in range(2)]
    photos += copies + leaks + broken
    write_mp16(folder, photos)
    write_osv5m(folder, {"train": photos, "test": test})
    write_im2gps3k(folder, test)
    planted = {
        "copies": [it.mp16 for it in copies],
        "leaks": [it.mp16 for it in leaks],
        "broken": [it.mp16 for it in broken],
    }
    (folder / "planted.json").write_text(json.dumps(planted))
    return planted
