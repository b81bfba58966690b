# SPDX-License-Identifier: GPL-3.0-or-later
"""The key table, the schemas and the manual pages say the same."""

import json
import os
import re
import subprocess

import tap

SRC = os.environ['YM_SRCDIR']
DUMP = os.path.join(os.environ['YM_BUILDDIR'], 'tests/plan/keys_dump')

SCHEMAS = {
    'plan': ('plan', 'suite', 'test', 'target', 'discover', 'data',
             'matrix', 'results', 'limits', 'workspace', 'part', 'secret'),
    'fleet': ('fleet', 'agent', 'guards'),
}
# Sections of the manual pages, and the places they describe.
SECTIONS = {
    'plan': {'Of plan, suite and test': ('plan', 'suite', 'test'),
             'Of a part': ('part',),
             'Of a target': ('target',), 'Of a matrix': ('matrix',),
             'Of discover': ('discover',), 'Of results': ('results',),
             'Of limits': ('limits',),
             'Of a workspace': ('workspace',),
             'Of a secret': ('secret',),
             'Of data': ('data',)},
    'fleet': {'Of a fleet': ('fleet',), 'Of an agent': ('agent',),
              'Of guards': ('guards',)},
}


def read(*path):
    with open(os.path.join(SRC, *path), encoding='utf-8') as f:
        return f.read()


def load_keys():
    out = subprocess.run([DUMP], check=True, stdout=subprocess.PIPE).stdout
    keys = json.loads(out)
    for key in keys:
        key['places'] = [p.split()[-1] for p in key['places']]
    return keys


def at(keys, *places):
    return [k for k in keys if set(places) & set(k['places'])]


def check_schema(keys, name, places):
    schema = json.loads(read('schema', name + '.schema.json'))
    for place in places:
        part = schema if place == name else schema['$defs'][place]
        props = part['properties']
        wanted = at(keys, place)
        tap.equal('schema: keys of ' + place, sorted(props),
                  sorted(k['name'] for k in wanted))
        tap.equal('schema: no other keys in ' + place,
                  part['additionalProperties'], False)
        for key in wanted:
            check_property(place, key, props.get(key['name'], {}))


def check_property(place, key, prop):
    name = 'schema: %s of %s' % (key['name'], place)
    said = prop.get('description', '')
    good = key['help'].lower() in said.lower()
    good &= key['later'] == said.startswith('Not supported yet')
    good &= key['default'] is None or \
        said.endswith('Default: %s.' % key['default'])
    if key['form'] == 'choice':
        good &= prop.get('enum') == key['choices']
    if key['form'] in ('integer', 'number'):
        good &= prop.get('minimum') == key['min']
        good &= prop.get('maximum') == key['max']
    tap.ok(name, good, '%r\n%r' % (key, prop))


def check_manual(keys, name, sections):
    page = read('man', 'yardmaster-%s.5' % name)
    for title, places in sections.items():
        body = re.search(r'^\.Ss %s\n(.*?)^\.S[sh] ' % re.escape(title),
                         page, re.M | re.S)
        text = body.group(1) if body else ''
        items = {}
        for key, said in re.findall(
                r'^\.It Cm (\S+) (.*?)(?=^\.It|^\.El)', text, re.M | re.S):
            items[key] = items.get(key, '') + said
        wanted = at(keys, *places)
        tap.equal('manual: keys %s' % title.lower(), sorted(items),
                  sorted({k['name'] for k in wanted}))
        for key in wanted:
            check_item(title, key, items.get(key['name'], ''))


def check_item(title, key, text):
    text = ' '.join(text.replace('\\e', '\\').split()).lower()
    good = key['help'].lower() in text
    good &= key['default'] is None or \
        'default: %s.' % key['default'].lower() in text
    good &= key['later'] == ('not supported yet' in text)
    tap.ok('manual: %s %s' % (key['name'], title.lower()), good, text)


def main():
    keys = load_keys()
    for name, places in SCHEMAS.items():
        check_schema(keys, name, places)
    for name, sections in SECTIONS.items():
        check_manual(keys, name, sections)
    tap.done()


main()
