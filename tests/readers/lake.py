"""Follows a dataset through its nights with DuckLake, in an environment of its own; see `loading.py`.

    lake.py NIGHTS EXAMPLES
"""

import sys

import loading

if __name__ == "__main__":
    loading.main("ducklake", *sys.argv[1:])
