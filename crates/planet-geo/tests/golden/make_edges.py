"""Makes edges.csv beside it: positions at the poles, on the cube's edges and corners and on the
antimeridian, with the leaf ids that s2sphere (a translation of the C++ library) gives them.

    pip install s2sphere && python make_edges.py
"""

import math
from pathlib import Path

import s2sphere

CORNER = math.degrees(math.atan(1 / math.sqrt(2)))


def positions():
    lats = [-90.0, -CORNER, -45.0, 0.0, CORNER, 45.0, 90.0]
    lngs = [i * 22.5 for i in range(-8, 8)]
    for lat in lats:
        for lng in lngs:
            yield lat, lng
            if abs(lat) < 90:
                yield math.nextafter(lat, 90), math.nextafter(lng, -180)
                yield math.nextafter(lat, -90), math.nextafter(lng, 180)
    for step in range(-100, 101):
        lng = step * 0.45
        edge = math.degrees(math.atan(math.cos(math.radians(lng))))
        for turn in (0, 90, -180, -90):
            for lat in (edge, -edge, math.nextafter(edge, 90)):
                yield lat, (lng + turn + 180) % 360 - 180


def main():
    with open(Path(__file__).with_name("edges.csv"), "w") as out:
        out.write("# made by make_edges.py with s2sphere\nlat,lng,leaf\n")
        for lat, lng in positions():
            leaf = s2sphere.CellId.from_lat_lng(s2sphere.LatLng.from_degrees(lat, lng)).id()
            out.write(f"{lat!r},{lng!r},{leaf}\n")


if __name__ == "__main__":
    main()
